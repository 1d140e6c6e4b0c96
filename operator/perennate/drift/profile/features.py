"""Features of a profile: the reference distribution of each input column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from perennate.api.feature_types import NUMERIC_KINDS, NumericKind
from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.data.columns import Column, read_numbers, read_times
from perennate.drift.data.documents import Node, abbreviated
from perennate.drift.profile.dates import Measure, clock_text, date_text, read_time_of_day
from perennate.drift.profile.fields import (
    MOMENTS,
    check_edges,
    importance_document,
    quantile_positions_document,
    read_atoms,
    read_importance,
    read_measure,
    read_moments,
    read_quantile_positions,
    read_tolerance,
    tolerance_document,
)
from perennate.drift.profile.quantiles import QuantilePositions, decode_quantiles
from perennate.drift.profile.tolerance import slack

MAX_BINS = 512
"""Largest number of edges or categories that is read; `build_profile` makes about 50."""


@dataclass(frozen=True, eq=False)
class NumericFeature:
    """A column of numbers, booleans or times of the training rows.

    Booleans count as 0 and 1, and dates and times as seconds, see dates.py.

    Args:
        name: name of the column.
        edges: upper ends of all bins but the last, (bins - 1,), strictly increasing.
        decile: positions in `edges` of the edges between PSI groups.
        counts: training rows by bin, (bins,).
        missing: rows without a value.
        other: rows whose value is not a number (for times: not a time).
        minimum, maximum, mean, sd: of the finite values; None if there are none.
        kind: numeric, boolean or datetime.
        quantile_positions: quantiles as positions in the bins, see quantiles.py; None in profiles of older releases.
        importance: importance of the feature in the model, in the model's own measure; None if unknown.
        atoms: positions of the bins that hold a single frequent value, such as the zeros of a zero-inflated column; the
            rows without such a value are compared once more on their own. None without such values.
        tolerance: relative tolerance within which a value equals an edge, see tolerance.py; 0 in profiles of older
            releases.
        measure: what of a date or time is compared; None for numbers and booleans.
        period: first and last training value in seconds since 1970, (2,), if the time of day is compared; None for
            anything else, and in profiles of older releases, which take a value of any date.
    """

    name: str
    edges: Floats
    decile: Ints
    counts: Ints
    missing: int
    other: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    sd: float | None
    kind: NumericKind = "numeric"
    quantile_positions: QuantilePositions | None = None
    importance: float | None = None
    atoms: Ints | None = None
    tolerance: float = 0.0
    measure: Measure | None = None
    period: Floats | None = None

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self.edges.size + 1

    def read(self, column: Column) -> tuple[Floats, Bools | None]:
        """Convert a column to the numbers that are counted, see `read_numbers`."""
        if self.measure is None:
            return read_numbers(column)
        return read_times(column) if self.measure == "date" else read_time_of_day(column, self.period)

    def text_of(self, value: float) -> str:
        """A value of this feature in messages."""
        if self.measure is None:
            return f"{value:g}"
        return date_text(value) if self.measure == "date" else clock_text(value)

    @cached_property
    def cell_borders(self) -> Floats:
        """Upper ends of the cells from `below` to `above`, (bins + 2,): the cell of x is the number of borders below x.

        The smallest training value belongs to the first bin, so the first border is the float just below it.
        """
        if self.minimum is None or self.maximum is None:
            largest = np.finfo(np.float64).max
            return np.array([-largest, largest, np.inf])
        points = np.concatenate(([self.minimum], self.edges, [self.maximum]))
        borders, least = points + slack(points, self.tolerance), slack(points, self.tolerance)[0]
        return np.concatenate(([np.nextafter(self.minimum - least, -np.inf)], borders[1:], [np.inf]))

    @property
    def described_rows(self) -> int:
        """Training rows that the counts describe."""
        return int(self.counts.sum()) + self.missing + self.other

    @cached_property
    def grid(self) -> Floats | None:
        """Quantiles at `linspace(0, 1, 401)`, (401,); None if the profile has none or the column has no value."""
        if self.quantile_positions is None or self.minimum is None or self.maximum is None:
            return None
        return decode_quantiles(self.quantile_positions, self.edges, self.counts, self.minimum, self.maximum)

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "name": self.name,
            "kind": self.kind,
            "edges": self.edges.tolist(),
            "decile": self.decile.tolist(),
            "counts": self.counts.tolist(),
            "missing": self.missing,
            "other": self.other,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "mean": self.mean,
            "sd": self.sd,
            **quantile_positions_document(self.quantile_positions),
            **importance_document(self.importance),
            **({} if self.atoms is None else {"atoms": self.atoms.tolist()}),
            **tolerance_document(self.tolerance),
            **({"measure": self.measure} if self.measure == "date" else {}),
            **({} if self.period is None else {"period": self.period.tolist()}),
        }

    @classmethod
    def from_node(cls, node: Node) -> NumericFeature:
        """Read and validate the JSON form."""
        required = "name", "kind", "edges", "decile", "counts", "missing", "other", *MOMENTS
        fields = node.fields(required, optional=("grid", "importance", "atoms", "tolerance", "measure", "period"))
        edges = fields["edges"].increasing(max_length=MAX_BINS)
        kind = fields["kind"].text(allowed=NUMERIC_KINDS)
        moments = read_moments(node, fields)
        check_edges(node, edges, moments)
        counts = fields["counts"].counts(length=edges.size + 1)
        return cls(
            name=fields["name"].text(),
            edges=edges,
            decile=fields["decile"].positions(edges.size),
            counts=counts,
            missing=fields["missing"].count(),
            other=fields["other"].count(),
            **moments,
            kind=kind,  # type: ignore[arg-type]  # checked by `allowed`
            quantile_positions=read_quantile_positions(fields, counts, empty=moments["minimum"] is None),
            importance=read_importance(fields),
            atoms=read_atoms(fields, edges.size + 1),
            tolerance=read_tolerance(fields),
            measure=read_measure(fields, kind),
            period=fields["period"].numbers(length=2) if "period" in fields else None,
        )


@dataclass(frozen=True, eq=False)
class CategoricalFeature:
    """A categorical column of the training rows.

    Args:
        name: name of the column.
        categories: the most frequent categories, most frequent first.
        counts: training rows by category, (categories,).
        missing: rows without a value.
        other: rows of any other category.
        importance: importance of the feature in the model, in the model's own measure; None if unknown.
        counted_rows: training rows that are counted, if the others were used to choose the categories, see
            categories.py; None if all are counted.
    """

    name: str
    categories: tuple[str, ...]
    counts: Ints
    missing: int
    other: int
    importance: float | None = None
    kind: Literal["categorical"] = "categorical"
    counted_rows: int | None = None

    @property
    def bins(self) -> int:
        """Number of categories with a count of their own."""
        return len(self.categories)

    @property
    def described_rows(self) -> int:
        """Training rows that the counts describe."""
        return int(self.counts.sum()) + self.missing + self.other

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "name": self.name,
            "kind": self.kind,
            "categories": list(self.categories),
            "counts": self.counts.tolist(),
            "missing": self.missing,
            "other": self.other,
            **importance_document(self.importance),
            **({} if self.counted_rows is None else {"countedRows": self.counted_rows}),
        }

    @classmethod
    def from_node(cls, node: Node) -> CategoricalFeature:
        """Read and validate the JSON form."""
        required = "name", "kind", "categories", "counts", "missing", "other"
        fields = node.fields(required, optional=("importance", "countedRows"))
        categories = fields["categories"].texts(max_length=MAX_BINS)
        return cls(
            name=fields["name"].text(),
            categories=categories,
            counts=fields["counts"].counts(length=len(categories)),
            missing=fields["missing"].count(),
            other=fields["other"].count(),
            importance=read_importance(fields),
            counted_rows=fields["countedRows"].count() if "countedRows" in fields else None,
        )


Feature = NumericFeature | CategoricalFeature


def read_feature(node: Node) -> Feature:
    """Read and validate a feature of any kind."""
    kind = node.value.get("kind") if isinstance(node.value, dict) else None
    if kind in NUMERIC_KINDS:
        return NumericFeature.from_node(node)
    if kind == "categorical":
        return CategoricalFeature.from_node(node)
    raise node.error(
        f"{node.path}.kind: must be one of categorical, {', '.join(NUMERIC_KINDS)}, got {abbreviated(kind)}"
    )
