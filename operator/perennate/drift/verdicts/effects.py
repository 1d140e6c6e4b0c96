"""How large a change is, whatever the number of rows: five measures, of which a feature is judged by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Protocol

import numpy as np

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.statistics.jensen_shannon import corrected_distance
from perennate.drift.statistics.kolmogorov import distance
from perennate.drift.statistics.overdispersion import DesignEffects
from perennate.drift.statistics.psi import stability_index
from perennate.drift.statistics.tables import Tables
from perennate.drift.windows.reference import ReferenceTables

DEFAULT = "psi"
"""The effect by which a feature is judged unless a rule says otherwise."""


class Comparison:
    """What effects are measured on: some of the tables of a profile, each with rows on both sides.

    Args:
        reference: of all tables of the profile.
        chosen: which of them are compared; all arrays below are of these alone.
        tables: their counts.
        merged: the same with sparse cells joined.
        spread: their design effects.
        total: cells of the window, (cells of the layout,).

    Attributes:
        whole: whether all tables of the profile are compared.
        places: positions of the compared tables among all.
        stability: PSI and PSI*, on the deciles of ordered features and all cells of categories, (tables,) each.
    """

    def __init__(
        self,
        reference: ReferenceTables,
        chosen: Bools,
        tables: Tables,
        merged: Tables,
        design_effects: DesignEffects,
        total: Ints,
    ) -> None:
        self.reference, self.chosen, self.total = reference, chosen, total
        self.tables, self.merged, self.design_effects = tables, merged, design_effects
        self.whole = tables.reference_counts is reference.reference_counts
        self.places: list[int] = chosen.nonzero()[0].tolist()
        groups = reference.groups if self.whole else reference.groups_of(chosen)
        self.stability = stability_index(tables, groups, design_effects.cells)
        self._effects: dict[str, Floats] = {}
        self._applies: dict[str, list[bool]] = {}

    def of_compared(self, values: Floats) -> Floats:
        """Of values of all tables those of the compared ones, (tables,)."""
        return values if self.whole else values[self.chosen]

    @cached_property
    def shifts(self) -> Floats:
        """Mean of the window less that of training in training standard deviations; 0 without, (tables,)."""
        return self.of_compared(self.reference.shifts(self.total))

    def applies(self, method: str) -> list[bool]:
        """Whether an effect can be measured on each table of the profile."""
        if method not in self._applies:
            self._applies[method] = EFFECTS[method].applies(self.reference).tolist()
        return self._applies[method]

    def effect(self, method: str) -> Floats:
        """One effect of every table, also where it does not apply, (tables,)."""
        if method not in self._effects:
            self._effects[method] = EFFECTS[method].measure(self)
        return self._effects[method]


class Measure(Protocol):
    """An effect size.

    It changes nothing of what it gets and returns one finite number for each table, (tables,); what it returns for
    tables that it does not apply to is not looked at.
    """

    def __call__(self, compared: Comparison) -> Floats:
        """Effects."""
        ...


def corrected_stability_index(compared: Comparison) -> Floats:
    """PSI* (Yurdakul & Naranjo 2020, see psi.py)."""
    return compared.stability[1]


def jensen_shannon(compared: Comparison) -> Floats:
    """JS* (Lin 1991, see jensen_shannon.py)."""
    return corrected_distance(compared.merged, compared.design_effects.cells)


def kolmogorov_smirnov(compared: Comparison) -> Floats:
    """D, the largest difference of the cumulative shares (Smirnov 1948, see kolmogorov.py)."""
    return np.minimum(1.0, distance(compared.merged))


def wasserstein_distance(compared: Comparison) -> Floats:
    """W1 in training standard deviations (Vallender 1974, see wasserstein.py).

    The difference of the means bounds it from below (its dual form, L. Kantorovich & G. Rubinstein, 1958), and also
    tells of values outside of the reference's range how far they are.
    """
    return np.maximum(np.abs(compared.shifts), compared.of_compared(compared.reference.areas(compared.total)))


def mean_shift(compared: Comparison) -> Floats:
    """Difference of the means in training standard deviations, without its sign (G. V. Glass, 1976)."""
    return np.abs(compared.shifts)


@dataclass(frozen=True)
class Effect:
    """One entry of the table of effects.

    Args:
        label: what people call it.
        measure: computes it.
        applies: which tables of a profile it can be measured on, (tables,).
        maximum: largest possible value.
    """

    label: str
    measure: Measure
    applies: Callable[[ReferenceTables], Bools]
    maximum: float = math.inf


def _always(reference: ReferenceTables) -> Bools:
    return np.ones(len(reference.names), dtype=np.bool_)


EFFECTS: Mapping[str, Effect] = MappingProxyType(
    {
        "psi": Effect("PSI*", corrected_stability_index, _always),
        "jensenShannon": Effect("JS*", jensen_shannon, _always, maximum=1.0),
        "kolmogorovSmirnov": Effect("KS D", kolmogorov_smirnov, lambda reference: reference.shape.ordered, maximum=1.0),
        "wasserstein": Effect("W1", wasserstein_distance, lambda reference: reference.has_grid),
        "meanShift": Effect("mean shift", mean_shift, lambda reference: reference.has_shift),
    }
)
"""The effects by the name that a rule calls them by."""


class EffectSizes(Mapping[str, float]):
    """Every effect that applies to one table, by method; measured when it is looked at.

    Args:
        compared: the tables.
        place: position of the table among those that are compared.
    """

    __slots__ = ("_compared", "_place")

    def __init__(self, compared: Comparison, place: int) -> None:
        self._compared, self._place = compared, place

    def __getitem__(self, method: str) -> float:
        if not self._applies(method):
            raise KeyError(method)
        return float(self._compared.effect(method)[self._place])

    def __iter__(self) -> Iterator[str]:
        return filter(self._applies, EFFECTS)

    def __len__(self) -> int:
        return sum(map(self._applies, EFFECTS))

    def __repr__(self) -> str:
        return repr(dict(self))

    def _applies(self, method: str) -> bool:
        return method in EFFECTS and self._compared.applies(method)[self._compared.places[self._place]]
