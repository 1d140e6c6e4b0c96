"""Effect sizes: five measures of how large a change is, independent of the number of rows."""

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
"""The method of features without a rule."""


class Comparison:
    """Chosen tables of a profile, each with rows in the reference and in the window, and their effects.

    Args:
        reference: all tables of the profile.
        chosen: mask of the compared tables; all other arrays are of these tables only.
        tables: their counts.
        merged: their counts with sparse cells merged.
        design_effects: their design effects.
        total: counts of the window, (cells of the layout,).

    Attributes:
        whole: whether all tables of the profile are compared.
        positions: positions of the compared tables among all tables.
        stability: PSI and PSI* over deciles of ordered features and all cells of categories, (tables,) each.
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
        self.positions: list[int] = chosen.nonzero()[0].tolist()
        groups = reference.groups if self.whole else reference.groups_of(chosen)
        self.stability = stability_index(tables, groups, design_effects.cells)
        self._effects: dict[str, Floats] = {}
        self._applies: dict[str, list[bool]] = {}

    def of_compared(self, values: Floats) -> Floats:
        """Select the values of the compared tables from values of all tables, (tables,)."""
        return values if self.whole else values[self.chosen]

    @cached_property
    def shifts(self) -> Floats:
        """Mean of the window - training mean, in training standard deviations, (tables,); 0 if unknown."""
        return self.of_compared(self.reference.shifts(self.total))

    def applies(self, method: str) -> list[bool]:
        """Whether a method is applicable to each table of the profile."""
        if method not in self._applies:
            self._applies[method] = EFFECTS[method].applies(self.reference).tolist()
        return self._applies[method]

    def effect(self, method: str) -> Floats:
        """Effects of all compared tables by one method, (tables,); meaningless where it is not applicable."""
        if method not in self._effects:
            self._effects[method] = EFFECTS[method].measure(self)
        return self._effects[method]


class Measure(Protocol):
    """An effect size.

    It does not modify its argument and returns a finite number for each table, (tables,). Values of tables to which it
    is not applicable are ignored.
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

    The difference of the means is a lower bound (by its dual form, L. Kantorovich & G. Rubinstein, 1958), which also
    accounts for the distance of values outside of the reference's range.
    """
    return np.maximum(np.abs(compared.shifts), compared.of_compared(compared.reference.areas(compared.total)))


def mean_shift(compared: Comparison) -> Floats:
    """Absolute difference of the means in training standard deviations (G. V. Glass, 1976)."""
    return np.abs(compared.shifts)


@dataclass(frozen=True)
class Effect:
    """One entry of the table of effects.

    Args:
        label: name in messages.
        measure: function that computes it.
        applies: function that returns to which tables of a profile it is applicable, (tables,).
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
"""The effects by method name."""


class EffectSizes(Mapping[str, float]):
    """Every applicable effect of one table by method, computed on access.

    Args:
        compared: the compared tables.
        position: position of the table among them.
    """

    __slots__ = ("_compared", "_position")

    def __init__(self, compared: Comparison, position: int) -> None:
        self._compared, self._position = compared, position

    def __getitem__(self, method: str) -> float:
        if not self._applies(method):
            raise KeyError(method)
        return float(self._compared.effect(method)[self._position])

    def __iter__(self) -> Iterator[str]:
        return filter(self._applies, EFFECTS)

    def __len__(self) -> int:
        return sum(map(self._applies, EFFECTS))

    def __repr__(self) -> str:
        return repr(dict(self))

    def _applies(self, method: str) -> bool:
        return method in EFFECTS and self._compared.applies(method)[self._compared.positions[self._position]]
