"""Reference distributions of the model's outputs, from hold-out rows.

Training rows are not used: a model is more confident on rows that it was fitted to, so all traffic would seem to drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.documents import Node
from perennate.drift.profile.bins import upper_borders
from perennate.drift.profile.features import MAX_BINS
from perennate.drift.profile.fields import (
    MOMENTS,
    quantile_positions_document,
    read_moments,
    read_quantile_positions,
    read_tolerance,
    tolerance_document,
)
from perennate.drift.profile.quantiles import QuantilePositions, decode_quantiles

SCORE = "score"
PREDICTION = "prediction"
"""Names of the score and of the predicted class in results; reserved, so no feature has them."""
TARGET = "target"
"""Name of the true values in results. They are no feature, so a feature may have this name."""
BINARY_CLASSES = 2

ScoreKind = Literal["probability", "confidence", "prediction"]
SCORE_KINDS = ("probability", "confidence", "prediction")


@dataclass(frozen=True, eq=False)
class Score:
    """The reference distribution of the score, the one number per row that summarizes the model's output.

    Args:
        kind: "probability" of the positive class (two classes), "confidence", the probability of the likeliest class
            (more classes), or "prediction" (regression).
        edges: upper ends of all bins but the last, (bins - 1,), strictly increasing; the threshold is one of them.
        decile: positions in `edges` of the edges between PSI groups.
        counts: hold-out rows by bin, (bins,).
        threshold: scores above it are predicted positive; None unless the kind is "probability".
        calibration: P(positive) for a probability, P(the prediction is correct) for a confidence, (bins,); None for a
            prediction, and without labels.
        minimum, maximum, mean, sd: of the hold-out rows; None in profiles of older releases.
        quantile_positions: quantiles as positions in the bins, see quantiles.py; None in profiles of older releases.
        means: mean score of the hold-out rows of each bin, (bins,); only of kind "probability", and None in profiles of
            older releases.
        missing: hold-out rows without a score, which `counts` leaves out; None in profiles of older releases, and then
            rows without a score are not counted.
        tolerance: relative tolerance within which a value equals an edge other than the threshold; 0 in profiles of
            older releases.
    """

    kind: ScoreKind
    edges: Floats
    decile: Ints
    counts: Ints
    threshold: float | None
    calibration: Floats | None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    sd: float | None = None
    quantile_positions: QuantilePositions | None = None
    means: Floats | None = None
    missing: int | None = None
    tolerance: float = 0.0

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self.edges.size + 1

    @cached_property
    def borders(self) -> Floats:
        """Upper ends of all bins but the last with their tolerance, (bins - 1,): see `bins.bin_of`."""
        if self.minimum is None or self.maximum is None:
            return self.edges
        return score_borders(self.edges, self.minimum, self.maximum, self.threshold, self.tolerance)

    @property
    def first_positive(self) -> int:
        """First bin whose rows are predicted positive; the number of bins if there is no threshold."""
        if self.threshold is None:
            return self.bins
        return int(np.searchsorted(self.edges, self.threshold, side="left")) + 1

    @cached_property
    def grid(self) -> Floats | None:
        """Quantiles at `linspace(0, 1, 401)`, (401,); None if the profile has none."""
        if self.quantile_positions is None or self.minimum is None or self.maximum is None:
            return None
        return decode_quantiles(self.quantile_positions, self.edges, self.counts, self.minimum, self.maximum)

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "kind": self.kind,
            "edges": self.edges.tolist(),
            "decile": self.decile.tolist(),
            "counts": self.counts.tolist(),
            "threshold": self.threshold,
            "calibration": None if self.calibration is None else self.calibration.tolist(),
            "minimum": self.minimum,
            "maximum": self.maximum,
            "mean": self.mean,
            "sd": self.sd,
            **quantile_positions_document(self.quantile_positions),
            **({} if self.means is None else {"means": self.means.tolist()}),
            **({} if self.missing is None else {"missing": self.missing}),
            **tolerance_document(self.tolerance),
        }

    @classmethod
    def from_node(cls, node: Node, *, old: bool) -> Score:
        """Read and validate the JSON form; profiles of schema v1 have no moments and no quantiles."""
        required = "kind", "edges", "decile", "counts", "threshold", "calibration"
        fields = node.fields(
            required if old else (*required, *MOMENTS),
            optional=() if old else ("grid", "means", "missing", "tolerance"),
        )
        kind = fields["kind"].text(allowed=SCORE_KINDS)
        edges = fields["edges"].increasing(max_length=MAX_BINS)
        threshold = fields["threshold"].optional_number()
        if (kind == "probability") != (threshold is not None) or (threshold is not None and threshold not in edges):
            fields["threshold"].refuse("one of the edges for a probability, and null for anything else")
        counts = fields["counts"].counts(length=edges.size + 1)
        moments = dict.fromkeys(MOMENTS) if old else read_moments(node, fields)
        return cls(
            kind=kind,  # type: ignore[arg-type]  # checked by `allowed`
            edges=edges,
            decile=fields["decile"].positions(edges.size),
            counts=counts,
            threshold=threshold,
            calibration=_read_calibration(fields["calibration"], edges.size + 1),
            **moments,
            quantile_positions=read_quantile_positions(fields, counts, empty=moments["minimum"] is None),
            means=fields["means"].numbers(length=edges.size + 1) if "means" in fields else None,
            missing=fields["missing"].count() if "missing" in fields else None,
            tolerance=read_tolerance(fields),
        )


@dataclass(frozen=True, eq=False)
class Residual:
    """The reference distribution of the residuals of a regression, prediction - truth, from hold-out rows.

    Args:
        edges: upper ends of all bins but the last, (bins - 1,), strictly increasing.
        counts: hold-out rows by bin, (bins,).
        unit: residuals of labelled rows are rounded to multiples of this unit and summed as integers; above 0.
    """

    edges: Floats
    counts: Ints
    unit: float

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self.edges.size + 1

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {"edges": self.edges.tolist(), "counts": self.counts.tolist(), "unit": self.unit}

    @classmethod
    def from_node(cls, node: Node) -> Residual:
        """Read and validate the JSON form."""
        fields = node.fields(("edges", "counts", "unit"))
        edges = fields["edges"].increasing(max_length=MAX_BINS)
        unit = fields["unit"].number()
        if unit <= 0:
            fields["unit"].refuse("a number above 0")
        return cls(edges=edges, counts=fields["counts"].counts(length=edges.size + 1), unit=unit)


def _read_calibration(node: Node, bins: int) -> Floats | None:
    """Read one probability for each bin, or null."""
    if node.value is None:
        return None
    calibration = node.numbers(length=bins)
    if np.any(calibration < 0) or np.any(calibration > 1) or np.any(np.diff(calibration) < 0):
        node.refuse("probabilities that do not decrease from bin to bin")
    return calibration


def score_borders(edges: Floats, low: float, high: float, threshold: float | None, tolerance: float) -> Floats:
    """The edges of the score with their tolerance, (edges,); the threshold is exact, as in the model's decision."""
    return np.where(edges == threshold, edges, upper_borders(edges, low, high, tolerance)) if edges.size else edges


def score_kind(classes: tuple[str, ...]) -> ScoreKind:
    """The kind of score of a model with these classes."""
    if not classes:
        return "prediction"
    return "probability" if len(classes) == BINARY_CLASSES else "confidence"
