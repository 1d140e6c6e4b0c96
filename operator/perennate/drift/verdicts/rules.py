"""By which effect each feature is judged, from which size on, and how many features make the model drift."""

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
    """How one feature, or what the model answers, is judged.

    Args:
        method: the effect, by its name in `EFFECTS`.
        threshold: effect from which a significant change is drift, above 0; of a distance that ends at 1, at most 1.
        warning: effect from which it is a warning, above 0 and at most `threshold`; half of it if None.

    Raises:
        ValueError: a value that is not allowed.
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
    """What each table of a profile is held against.

    Args:
        methods: effect of each table.
        drifted, warning: sizes of it, (tables,).
        others: effects besides the default.
    """

    methods: list[str]
    drifted: Floats
    warning: Floats
    others: set[str]


def make_thresholds(
    reference: ReferenceTables, rules: Mapping[str, FeatureRule], *, warning: float, drifted: float
) -> Thresholds:
    """The gates of all tables; those without a rule have PSI*, `warning` and `drifted`.

    Raises:
        ValueError: a rule for a name that the profile does not have, or with an effect that does not apply to it.
    """
    defaults = _default_thresholds(len(reference.names), warning, drifted)
    if not rules:
        return defaults
    methods, upper, lower = defaults.methods.copy(), defaults.drifted.copy(), defaults.warning.copy()
    for name, rule in rules.items():
        if name not in reference.names:
            raise ValueError(f"rule for {name!r}: the profile has only {', '.join(reference.names)}")
        index = reference.names.index(name)
        if not EFFECTS[rule.method].applies(reference)[index]:
            applicable = [method for method, effect in EFFECTS.items() if effect.applies(reference)[index]]
            raise ValueError(
                f"rule for {name!r}: method must be one of {', '.join(applicable)} here, got {rule.method!r}"
            )
        methods[index] = rule.method
        upper[index] = rule.threshold
        lower[index] = rule.threshold / 2 if rule.warning is None else rule.warning
    return Thresholds(methods, upper, lower, {rule.method for rule in rules.values()} - {DEFAULT})


def _default_thresholds(tables: int, warning: float, drifted: float) -> Thresholds:
    """The gates of so many tables without rules."""
    return Thresholds([DEFAULT] * tables, np.full(tables, drifted), np.full(tables, warning), set())


def check_rules(profile: Profile, rules: Mapping[str, FeatureRule]) -> None:
    """Refuse rules that do not fit a profile, before a window is evaluated by them.

    Raises:
        ValueError: a rule for a name that the profile does not have, or with an effect that does not apply to it.
    """
    make_thresholds(ReferenceTables(Layout(profile)), rules, warning=1.0, drifted=1.0)


def check_quorum(quorum: float) -> None:
    """Refuse a quorum that is neither a number of features nor a share of them.

    Raises:
        ValueError: it is not a whole number from 1, nor above 0 and below 1.
    """
    if isinstance(quorum, bool) or not (0 < quorum < 1 or (quorum >= 1 and float(quorum).is_integer())):
        raise ValueError(f"quorum must be a whole number from 1 or a share above 0 and below 1, got {quorum}")


def needed_features(quorum: float, tables: int) -> int:
    """How many must drift if so many tables were compared."""
    if quorum >= 1:
        return int(quorum)
    # A share such as 0.3 of 10 is 3, although in binary 0.3 * 10 may be a little more.
    return max(1, math.ceil(quorum * tables - 1e-9))
