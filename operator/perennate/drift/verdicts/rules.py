"""Rules: the method and thresholds of each feature, and the number of drifted features that make the model drift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from perennate.drift.data.arrays import Floats
from perennate.drift.profile.layout import Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.verdicts.effects import DEFAULT, EFFECTS
from perennate.drift.windows.reference import ReferenceTables


@dataclass(frozen=True)
class FeatureRule:
    """The method and thresholds of one feature or output.

    Args:
        method: name of the effect in `EFFECTS`.
        threshold: effect from which a significant change is drift, above 0 and at most the maximum of the method.
        warning: effect from which it is a warning, above 0 and at most `threshold`; None for half the threshold.

    Raises:
        ValueError: a value is not allowed.
    """

    method: str = DEFAULT
    threshold: float = 0.2
    warning: float | None = None

    def __post_init__(self) -> None:
        if self.method not in EFFECTS:
            raise ValueError(f"method must be one of {', '.join(EFFECTS)}, got {self.method!r}")
        most = EFFECTS[self.method].maximum
        if not (0 < self.threshold <= most and math.isfinite(self.threshold)):
            upper = "" if most == math.inf else f" and at most {most:g}"
            raise ValueError(f"threshold of {self.method} must be above 0{upper}, got {self.threshold}")
        if self.warning is not None and not 0 < self.warning <= self.threshold:
            raise ValueError(f"warning must be above 0 and at most threshold = {self.threshold}, got {self.warning}")


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Methods and thresholds of all tables of a profile.

    Args:
        methods: method of each table.
        drifted, warning: effects from which a significant change is drift or a warning, (tables,).
        others: methods in use besides the default.
    """

    methods: list[str]
    drifted: Floats
    warning: Floats
    others: set[str]


def make_thresholds(
    reference: ReferenceTables, rules: Mapping[str, FeatureRule], *, warning: float, drifted: float
) -> Thresholds:
    """Make the thresholds of all tables; tables without a rule use PSI*, `warning` and `drifted`.

    Raises:
        ValueError: a rule has an unknown name, or a method that is not applicable to its feature.
    """
    defaults = _default_thresholds(len(reference.names), warning, drifted)
    if not rules:
        return defaults
    methods, upper, lower = defaults.methods.copy(), defaults.drifted.copy(), defaults.warning.copy()
    known = reference.names[: reference.inputs_and_outputs]
    for name, rule in rules.items():
        if name not in known:
            raise ValueError(f"rule for {name!r}: the profile has only {', '.join(known)}")
        index = known.index(name)
        if not EFFECTS[rule.method].applies(reference)[index]:
            applicable = [method for method, effect in EFFECTS.items() if effect.applies(reference)[index]]
            raise ValueError(
                f"rule for {name!r}: method must be one of {', '.join(applicable)} here, got {rule.method!r}"
            )
        methods[index] = rule.method
        upper[index] = rule.threshold
        lower[index] = rule.threshold / 2 if rule.warning is None else rule.warning
        _copy_to_part(reference, index, methods, upper, lower)
    return Thresholds(methods, upper, lower, {rule.method for rule in rules.values()} - {DEFAULT})


def _copy_to_part(reference: ReferenceTables, index: int, methods: list[str], upper: Floats, lower: Floats) -> None:
    """Apply the rule of a feature to the table of its rows without a frequent value, if the method is applicable."""
    first = len(methods) - reference.part_of.size
    for part in first + np.flatnonzero(reference.part_of == index):
        if EFFECTS[methods[index]].applies(reference)[part]:
            methods[part], upper[part], lower[part] = methods[index], upper[index], lower[index]


def _default_thresholds(tables: int, warning: float, drifted: float) -> Thresholds:
    """The thresholds of tables without rules."""
    return Thresholds([DEFAULT] * tables, np.full(tables, drifted), np.full(tables, warning), set())


def check_rules(profile: Profile, rules: Mapping[str, FeatureRule]) -> None:
    """Raise if rules are not applicable to a profile.

    Raises:
        ValueError: a rule has an unknown name, or a method that is not applicable to its feature.
    """
    make_thresholds(ReferenceTables(Layout(profile)), rules, warning=1.0, drifted=1.0)


def check_quorum(quorum: float) -> None:
    """Raise if a quorum is neither a number nor a share of features.

    Raises:
        ValueError: the quorum is not a whole number of at least 1, nor above 0 and below 1.
    """
    if isinstance(quorum, bool) or not (0 < quorum < 1 or (quorum >= 1 and float(quorum).is_integer())):
        raise ValueError(f"quorum must be a whole number from 1 or a share above 0 and below 1, got {quorum}")


def needed_features(quorum: float, tables: int) -> int:
    """Number of features that must drift if `tables` were compared."""
    if quorum >= 1:
        return int(quorum)
    # Rounding may make 0.3 * 10 a little larger than 3, which must still give 3.
    return max(1, math.ceil(quorum * tables - 1e-9))
