"""What a profile knows of each input column and of the score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from perennate.drift.arrays import Floats, Ints
from perennate.drift.documents import Node

ScoreKind = Literal["probability", "confidence", "prediction"]


@dataclass(frozen=True, eq=False)
class NumericFeature:
    """A numeric column of the training rows; booleans are 0 and 1.

    Args:
        name: name of the column.
        edges: upper ends of all bins but the last, (bins - 1,), rising strictly.
        decile: positions in `edges` of the cuts for PSI.
        counts: training rows by bin, (bins,).
        missing: rows without a value.
        other: rows whose value is no number.
        minimum, maximum, mean, sd: of the finite values; None if there are none.
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
    kind: Literal["numeric"] = field(default="numeric", init=False)

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self.edges.size + 1

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
        }

    @classmethod
    def from_node(cls, node: Node) -> NumericFeature:
        """Read the JSON form."""
        own = "name", "kind", "edges", "decile", "counts", "missing", "other", "minimum", "maximum", "mean", "sd"
        fields = node.fields(own)
        edges = fields["edges"].rising()
        moments = {
            key: None if fields[key].value is None else fields[key].number()
            for key in ("minimum", "maximum", "mean", "sd")
        }
        if len({value is None for value in moments.values()}) != 1:
            raise node.error(f"{node.path}: minimum, maximum, mean and sd must be all numbers or all null")
        low, high, sd = moments["minimum"], moments["maximum"], moments["sd"]
        if low is None or high is None or sd is None:
            if edges.size:
                raise node.error(f"{node.path}.edges: must be empty when there is no minimum and maximum")
        elif low > high or sd < 0 or (edges.size and not low <= edges[0] <= edges[-1] < high):
            raise node.error(f"{node.path}: must have sd >= 0 and minimum <= edges < maximum")
        return cls(
            name=fields["name"].text(),
            edges=edges,
            decile=fields["decile"].positions(edges.size),
            counts=fields["counts"].counts(length=edges.size + 1),
            missing=fields["missing"].count(),
            other=fields["other"].count(),
            **moments,
        )


@dataclass(frozen=True, eq=False)
class CategoricalFeature:
    """A column of categories of the training rows.

    Args:
        name: name of the column.
        categories: the most frequent ones, most frequent first.
        counts: training rows by category, (categories,).
        missing: rows without a value.
        other: rows of any other category.
    """

    name: str
    categories: tuple[str, ...]
    counts: Ints
    missing: int
    other: int
    kind: Literal["categorical"] = field(default="categorical", init=False)

    @property
    def bins(self) -> int:
        """Number of categories that are counted one by one."""
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
        }

    @classmethod
    def from_node(cls, node: Node) -> CategoricalFeature:
        """Read the JSON form."""
        fields = node.fields(("name", "kind", "categories", "counts", "missing", "other"))
        categories = fields["categories"].texts()
        return cls(
            name=fields["name"].text(),
            categories=categories,
            counts=fields["counts"].counts(length=len(categories)),
            missing=fields["missing"].count(),
            other=fields["other"].count(),
        )


Feature = NumericFeature | CategoricalFeature


@dataclass(frozen=True, eq=False)
class Score:
    """What the model said of the hold-out rows.

    It must not be made from training rows: a model is surer of rows that it has learnt, so that every later score
    would look drifted.

    Args:
        kind: "probability" of the positive class (two classes), "confidence" = probability of the likeliest class (more
            classes), "prediction" (regression).
        edges: upper ends of all bins but the last; the threshold is one of them.
        decile: positions in `edges` of the cuts for PSI.
        counts: hold-out rows by bin.
        threshold: a score above it says positive; only of kind "probability".
        calibration: P(positive) by bin; only of kind "probability" with labels.
    """

    kind: ScoreKind
    edges: Floats
    decile: Ints
    counts: Ints
    threshold: float | None
    calibration: Floats | None

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self.edges.size + 1

    @property
    def first_positive(self) -> int:
        """First bin whose rows are predicted positive; the number of bins if there is no threshold."""
        if self.threshold is None:
            return self.bins
        return int(np.searchsorted(self.edges, self.threshold, side="left")) + 1

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "kind": self.kind,
            "edges": self.edges.tolist(),
            "decile": self.decile.tolist(),
            "counts": self.counts.tolist(),
            "threshold": self.threshold,
            "calibration": None if self.calibration is None else self.calibration.tolist(),
        }

    @classmethod
    def from_node(cls, node: Node) -> Score:
        """Read the JSON form."""
        fields = node.fields(("kind", "edges", "decile", "counts", "threshold", "calibration"))
        kind = fields["kind"].text(allowed=("probability", "confidence", "prediction"))
        edges = fields["edges"].rising()
        threshold = None if fields["threshold"].value is None else fields["threshold"].number()
        if (kind == "probability") != (threshold is not None) or (threshold is not None and threshold not in edges):
            fields["threshold"].refuse("one of the edges for a probability, and null for anything else")
        calibration = None
        if fields["calibration"].value is not None:
            calibration = fields["calibration"].numbers(length=edges.size + 1)
            if np.any(calibration < 0) or np.any(calibration > 1) or np.any(np.diff(calibration) < 0):
                fields["calibration"].refuse("probabilities that do not fall from bin to bin")
        return cls(
            kind=kind,  # type: ignore[arg-type]  # checked by `allowed`
            edges=edges,
            decile=fields["decile"].positions(edges.size),
            counts=fields["counts"].counts(length=edges.size + 1),
            threshold=threshold,
            calibration=calibration,
        )


def read_feature(node: Node) -> Feature:
    """Read one feature of either kind."""
    kind = node.value.get("kind") if isinstance(node.value, dict) else None
    if kind == "numeric":
        return NumericFeature.from_node(node)
    if kind == "categorical":
        return CategoricalFeature.from_node(node)
    raise node.error(f"{node.path}.kind: must be numeric or categorical, got {kind!r}")
