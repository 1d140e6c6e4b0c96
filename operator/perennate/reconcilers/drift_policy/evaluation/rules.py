"""The rules of spec.features against the reference profile that is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.api.v1alpha1.drift_policy import Reason
from perennate.api.v1alpha1.drift_rules import Method
from perennate.drift.verdicts.rules import FeatureRule, check_rules
from perennate.reconcilers.chain import Violation
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from perennate.api.v1alpha1 import drift_rules
    from perennate.drift import Profile


@dataclass(frozen=True)
class PolicyRules:
    """The rules of a policy for one profile.

    Attributes:
        features: spec.features.
        drifted, warning: the thresholds of spec, for rules by PSI* that have none of their own.
        profile: the reference profile.
    """

    features: tuple[drift_rules.FeatureRule, ...]
    drifted: float
    warning: float
    profile: Profile

    def applicable(self) -> dict[str, FeatureRule]:
        """The rules that apply to the profile, by feature."""
        rules = {entry.name: self._rule(entry) for entry in self.features}
        return {name: rule for name, rule in rules.items() if self._why_inapplicable(name, rule) is None}

    def first_inapplicable(self) -> Violation | None:
        """The first rule that does not apply to the profile, None if all do."""
        names = {feature.name for feature in self.profile.features} | self._outputs()
        for index, entry in enumerate(self.features):
            why = self._why_inapplicable(entry.name, self._rule(entry))
            if why is None:
                continue
            if entry.name not in names:
                known = truncate(", ".join(sorted(names)), 400)
                message = f'spec.features[{index}].name: the served version has no feature "{entry.name}"; it has'
                return Violation(Reason.FEATURE_NOT_FOUND, f"{message} {known}")
            return Violation(Reason.METHOD_NOT_APPLICABLE, f"spec.features[{index}].method: {truncate(why, 400)}")
        return None

    def _rule(self, entry: drift_rules.FeatureRule) -> FeatureRule:
        """The rule of an entry."""
        if entry.threshold is not None:
            return FeatureRule(entry.method, entry.threshold)
        return FeatureRule(Method.PSI, self.drifted, warning=self.warning or None)

    def _why_inapplicable(self, name: str, rule: FeatureRule) -> str | None:
        """Why a rule does not apply to the profile; None if it does."""
        try:
            check_rules(self.profile, {name: rule})
        except ValueError as error:
            return str(error)
        return None

    def _outputs(self) -> set[str]:
        """The names by which a rule refers to what the model predicts."""
        outputs = {"score": self.profile.score, "prediction": self.profile.prediction}
        return {name for name, found in outputs.items() if found is not None}


def quorum(min_drifted_features: int | str) -> float:
    """How many features must drift: a number from 1, or a share below 1. Takes spec.minDriftedFeatures."""
    if isinstance(min_drifted_features, str):
        return int(min_drifted_features.removesuffix("%")) / 100
    return min_drifted_features
