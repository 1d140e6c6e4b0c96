"""spec.features as the drift engine takes it, and which of it the profile that is served cannot take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.v1alpha1.drift_policy import Reason
from perennate.api.v1alpha1.drift_rules import Method
from perennate.drift.verdicts.rules import FeatureRule, check_rules
from perennate.reconcilers.policy import Violation
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from perennate.api.v1alpha1 import drift_rules
    from perennate.api.v1alpha1.drift_spec import DriftPolicySpec
    from perennate.drift import Profile


def fitting_rules(spec: DriftPolicySpec, profile: Profile) -> dict[str, FeatureRule]:
    """The rules that the profile can take, by feature. The others are what `first_misfit` says."""
    rules = {entry.name: _rule(spec, entry) for entry in spec.features}
    return {name: rule for name, rule in rules.items() if _refusal(profile, name, rule) is None}


def first_misfit(spec: DriftPolicySpec, profile: Profile) -> Violation | None:
    """The first entry of spec.features that says nothing about the version that is served."""
    names = {feature.name for feature in profile.features} | _outputs(profile)
    for index, entry in enumerate(spec.features):
        refusal = _refusal(profile, entry.name, _rule(spec, entry))
        if refusal is None:
            continue
        if entry.name not in names:
            known = truncate(", ".join(sorted(names)), 400)
            message = f'spec.features[{index}].name: the version that is served has no feature "{entry.name}"; it has'
            return Violation(Reason.FEATURE_NOT_FOUND, f"{message} {known}")
        return Violation(Reason.METHOD_NOT_APPLICABLE, f"spec.features[{index}].method: {truncate(refusal, 400)}")
    return None


def quorum(spec: DriftPolicySpec) -> float:
    """How many features must drift: a number from 1, or a share below 1."""
    wanted = spec.min_drifted_features
    return int(wanted.removesuffix("%")) / 100 if isinstance(wanted, str) else wanted


def _rule(spec: DriftPolicySpec, entry: drift_rules.FeatureRule) -> FeatureRule:
    """The rule of an entry; one by PSI* without a threshold of its own is held against those of all features."""
    if entry.threshold is not None:
        return FeatureRule(entry.method, entry.threshold)
    return FeatureRule(Method.PSI, spec.drifted, warning=spec.warning or None)


def _refusal(profile: Profile, name: str, rule: FeatureRule) -> str | None:
    """Why the profile cannot take a rule; None if it can."""
    try:
        check_rules(profile, {name: rule})
    except ValueError as error:
        return str(error)
    return None


def _outputs(profile: Profile) -> set[str]:
    """Names by which what the model answers is judged."""
    outputs = {"score": profile.score, "prediction": profile.prediction}
    return {name for name, found in outputs.items() if found is not None}
