"""Features of a profile: the reference distribution of each input column."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from perennate.api.feature_types import NUMERIC_KINDS, NumericKind
from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.documents import Node, abbreviated
from perennate.drift.profile.quantiles import POINTS, QuantilePositions, decode_quantiles, positions_rise

MAX_BINS = 512
"""Largest number of edges or categories that is read; `build_profile` makes about 50."""
MOMENTS = ("minimum", "maximum", "mean", "sd")


@dataclass(frozen=True, eq=False)
class NumericFeature:
    """A column of numbers, booleans or times of the training rows.

    Booleans count as 0 and 1. Dates and times count as seconds since midnight UTC: the date itself changes every day
    and would always drift, but the time of day is a distribution that can be compared.

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

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self.edges.size + 1

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
            **_importance_document(self.importance),
        }

    @classmethod
    def from_node(cls, node: Node) -> NumericFeature:
        """Read and validate the JSON form."""
        required = "name", "kind", "edges", "decile", "counts", "missing", "other", *MOMENTS
        fields = node.fields(required, optional=("grid", "importance"))
        edges = fields["edges"].increasing(max_length=MAX_BINS)
        moments = read_moments(node, fields)
        low, high = moments["minimum"], moments["maximum"]
        if low is None or high is None:
            if edges.size:
                raise node.error(f"{node.path}.edges: must be empty when there is no minimum and maximum")
        elif edges.size and not low <= edges[0] <= edges[-1] < high:
            raise node.error(f"{node.path}: must have minimum <= edges < maximum")
        counts = fields["counts"].counts(length=edges.size + 1)
        return cls(
            name=fields["name"].text(),
            edges=edges,
            decile=fields["decile"].positions(edges.size),
            counts=counts,
            missing=fields["missing"].count(),
            other=fields["other"].count(),
            **moments,
            kind=fields["kind"].text(allowed=NUMERIC_KINDS),  # type: ignore[arg-type]  # checked by `allowed`
            quantile_positions=read_quantile_positions(fields, counts, empty=low is None),
            importance=_read_importance(fields),
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
    """

    name: str
    categories: tuple[str, ...]
    counts: Ints
    missing: int
    other: int
    importance: float | None = None
    kind: Literal["categorical"] = "categorical"

    @property
    def bins(self) -> int:
        """Number of categories with a count of their own."""
        return len(self.categories)

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "name": self.name,
            "kind": self.kind,
            "categories": list(self.categories),
            "counts": self.counts.tolist(),
            "missing": self.missing,
            "other": self.other,
            **_importance_document(self.importance),
        }

    @classmethod
    def from_node(cls, node: Node) -> CategoricalFeature:
        """Read and validate the JSON form."""
        required = "name", "kind", "categories", "counts", "missing", "other"
        fields = node.fields(required, optional=("importance",))
        categories = fields["categories"].texts(max_length=MAX_BINS)
        return cls(
            name=fields["name"].text(),
            categories=categories,
            counts=fields["counts"].counts(length=len(categories)),
            missing=fields["missing"].count(),
            other=fields["other"].count(),
            importance=_read_importance(fields),
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


def read_moments(node: Node, fields: dict[str, Node]) -> dict[str, float | None]:
    """Read minimum, maximum, mean and standard deviation: consistent numbers, or all null."""
    moments = {key: fields[key].optional_number() for key in MOMENTS}
    if len({value is None for value in moments.values()}) != 1:
        raise node.error(f"{node.path}: {', '.join(MOMENTS)} must be all numbers or all null")
    low, high, sd = moments["minimum"], moments["maximum"], moments["sd"]
    if low is not None and high is not None and sd is not None and (low > high or sd < 0):
        raise node.error(f"{node.path}: must have minimum <= maximum and sd >= 0")
    return moments


def quantile_positions_document(quantile_positions: QuantilePositions | None) -> dict[str, str]:
    """The JSON form of the quantiles, as part of an object."""
    return {} if quantile_positions is None else {"grid": base64.b64encode(quantile_positions.tobytes()).decode()}


def read_quantile_positions(fields: dict[str, Node], counts: Ints, *, empty: bool) -> QuantilePositions | None:
    """Read the quantiles; None in profiles of older releases."""
    if "grid" not in fields:
        return None
    quantile_positions = fields["grid"].octets()
    wanted = 0 if empty else POINTS
    if quantile_positions.size != wanted or (
        wanted and not (counts.any() and positions_rise(quantile_positions, counts))
    ):
        fields["grid"].refuse(f"{wanted} bytes in base64, ascending inside each bin")
    return quantile_positions


def _importance_document(importance: float | None) -> dict[str, float]:
    return {} if importance is None else {"importance": importance}


def _read_importance(fields: dict[str, Node]) -> float | None:
    return fields["importance"].number() if "importance" in fields else None
