"""Building a profile from the rows that a model was trained and checked on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.arrays import Bools, Floats
from perennate.drift.bins import bin_of, cut_feature, cut_score
from perennate.drift.categories import class_text, is_missing, is_number
from perennate.drift.features import CategoricalFeature, Feature, NumericFeature
from perennate.drift.isotonic import calibrate
from perennate.drift.labelled import METRICS, labels_by_bin, measure
from perennate.drift.outputs import Score
from perennate.drift.profile import BINARY_CLASSES, Metric, Profile, ProfileError, Task, score_kind

MAX_CATEGORIES = 50
THRESHOLD = 0.5
"""scikit-learn predicts the second of two classes when its probability is above one half."""

Column = npt.NDArray[Any]


def build_profile(
    columns: Mapping[str, Column],
    *,
    task: Task,
    score: npt.ArrayLike | None = None,
    labels: Sequence[object] | npt.NDArray[Any] | None = None,
    classes: Sequence[object] = (),
    metrics: Mapping[str, tuple[float, float]] | None = None,
    categorical: Collection[str] = (),
) -> Profile:
    """The profile of a model.

    Numeric and boolean arrays, and object arrays that hold only numbers, become numeric features (booleans as 0 and 1);
    everything else becomes a category. Dates and times are refused.

    Args:
        columns: training rows by column, in the model's order; arrays (rows,) of one length.
        task: what the model does.
        score: of hold-out rows, never of training rows, (hold-out rows,): the probability of `classes[1]` for two
            classes, of the likeliest class for more, the prediction for regression. None leaves the score out.
        labels: true classes or values of the same hold-out rows; give the baseline metrics (two classes: accuracy,
            precision, recall, f1, auc and the calibration; regression: mae, rmse; not used for more classes).
        classes: classes in the order of predict_proba; none for regression.
        metrics: further baselines, name to (value, standard error).
        categorical: columns to take as categories whatever they hold.

    Raises:
        ProfileError: the input is empty, ragged, of an unfit type, or names no such class or column.
    """
    rows = _common_length(columns)
    unknown = sorted(set(categorical) - set(columns))
    if unknown:
        raise ProfileError(f"categorical: must name columns, got {unknown[0]!r}")
    features = tuple(_feature(name, np.asarray(values), name in categorical) for name, values in columns.items())
    texts = tuple(class_text(value) for value in classes)
    scores = None if score is None else _finite_scores(score)
    built = None if scores is None else _score(scores, labels, texts)
    baselines = {name: Metric(float(value), float(error)) for name, (value, error) in (metrics or {}).items()}
    if scores is not None and labels is not None and built is not None:
        baselines = _baselines(scores, labels, built, texts) | baselines
    profile = Profile(
        task=task,
        features=features,
        score=built,
        classes=texts,
        metrics=baselines,
        rows=rows,
        holdout_rows=0 if scores is None else scores.size,
    )
    # What is written must be readable: the reader's checks are the only ones.
    return Profile.from_document(profile.to_document())


def _common_length(columns: Mapping[str, Column]) -> int:
    """Rows of all columns."""
    if not columns:
        raise ProfileError("columns: must hold at least one column, got none")
    shapes = {name: np.shape(values) for name, values in columns.items()}
    for name, shape in shapes.items():
        if len(shape) != 1 or shape[0] == 0 or shape != next(iter(shapes.values())):
            raise ProfileError(
                f"columns[{name!r}]: must be one-dimensional, not empty and as long as the others, got shape {shape}"
            )
    return int(next(iter(shapes.values()))[0])


def _feature(name: str, values: Column, as_category: bool) -> Feature:
    """One column as a feature."""
    if values.dtype.kind in "Mm":
        raise ProfileError(
            f"columns[{name!r}]: must hold numbers or categories, got {values.dtype}; turn times into numbers first"
        )
    if values.dtype.kind == "c":
        raise ProfileError(f"columns[{name!r}]: must hold numbers or categories, got complex numbers")
    if not as_category and values.dtype.kind in "fiub":
        return _numeric(name, values.astype(np.float64))
    missing = np.fromiter((is_missing(value) for value in values), dtype=np.bool_, count=values.size)
    present = values[~missing]
    if not as_category and present.size and all(is_number(value) for value in present):
        numbers = np.full(values.size, np.nan)
        numbers[~missing] = present.astype(np.float64)
        return _numeric(name, numbers)
    return _categorical(name, present, missing)


def _numeric(name: str, values: Floats) -> NumericFeature:
    """Cut and count a numeric column; infinities are counted in the outermost bins and left out of everything else."""
    present = values[~np.isnan(values)]
    finite = present[np.isfinite(present)]
    edges, decile = cut_feature(finite)
    moments: dict[str, float | None] = dict.fromkeys(("minimum", "maximum", "mean", "sd"))
    if finite.size:
        with np.errstate(over="ignore"):
            moments = {
                "minimum": float(finite.min()),
                "maximum": float(finite.max()),
                "mean": _bounded(finite.mean()),
                "sd": _bounded(finite.std()),
            }
    return NumericFeature(
        name=name,
        edges=edges,
        decile=decile,
        counts=np.bincount(bin_of(edges, present), minlength=edges.size + 1),
        missing=values.size - present.size,
        other=0,
        minimum=moments["minimum"],
        maximum=moments["maximum"],
        mean=moments["mean"],
        sd=moments["sd"],
    )


def _bounded(value: float) -> float:
    """A moment that overflowed is the largest number instead of an infinity, which no JSON holds."""
    return float(np.nan_to_num(value))


def _categorical(name: str, present: Column, missing: Bools) -> CategoricalFeature:
    """Count the most frequent categories one by one; equal counts are ordered by name, so that no order is chance."""
    tally = sorted(Counter(class_text(value) for value in present).items(), key=lambda item: (-item[1], item[0]))
    kept, rest = tally[:MAX_CATEGORIES], tally[MAX_CATEGORIES:]
    return CategoricalFeature(
        name=name,
        categories=tuple(category for category, _ in kept),
        counts=np.array([count for _, count in kept], dtype=np.int64),
        missing=int(missing.sum()),
        other=sum(count for _, count in rest),
    )


def _finite_scores(score: npt.ArrayLike) -> Floats:
    """Scores as numbers."""
    scores = np.asarray(score, dtype=np.float64)
    if scores.ndim != 1 or scores.size == 0 or not np.all(np.isfinite(scores)):
        raise ProfileError(f"score: must be one-dimensional, not empty and finite, got shape {scores.shape}")
    return scores


def _score(scores: Floats, labels: Sequence[object] | Column | None, classes: tuple[str, ...]) -> Score:
    """The score's reference."""
    kind = score_kind(classes)
    if kind != "prediction" and (scores.min() < 0 or scores.max() > 1):
        raise ProfileError(f"score: must be probabilities, got {scores.min()} to {scores.max()}")
    threshold = THRESHOLD if kind == "probability" else None
    edges, decile = cut_score(scores, threshold)
    bins = bin_of(edges, scores)
    counts = np.bincount(bins, minlength=edges.size + 1)
    calibration = None
    if kind == "probability" and labels is not None:
        _, hits = labels_by_bin(bins, _positive(labels, classes, scores.size), counts.size)
        calibration = calibrate(hits, counts)
    return Score(kind, edges, decile, counts, threshold, calibration)


def _positive(labels: Sequence[object] | Column, classes: tuple[str, ...], rows: int) -> Bools:
    """Which labels are the positive class."""
    texts = [class_text(label) for label in labels]
    unknown = sorted(set(texts) - set(classes))
    if unknown:
        raise ProfileError(f"labels: must be among classes {list(classes)}, got {unknown[0]!r}")
    if len(texts) != rows:
        raise ProfileError(f"labels: must be as many as scores, {rows}, got {len(texts)}")
    return np.array([text == classes[1] for text in texts], dtype=np.bool_)


def _baselines(
    scores: Floats, labels: Sequence[object] | Column, score: Score, classes: tuple[str, ...]
) -> dict[str, Metric]:
    """Baseline metrics of the hold-out rows, by the same formulas that later measure the traffic."""
    if not classes:
        return _regression_baselines(scores, labels)
    if len(classes) != BINARY_CLASSES:
        return {}
    negatives, positives = labels_by_bin(
        bin_of(score.edges, scores), _positive(labels, classes, scores.size), score.bins
    )
    measured = {
        metric: measure(negatives, positives, metric=metric, first_positive=score.first_positive, confidence=0.95)
        for metric in METRICS
    }
    return {name: Metric(found.value, found.standard_error) for name, found in measured.items() if found is not None}


def _regression_baselines(scores: Floats, labels: Sequence[object] | Column) -> dict[str, Metric]:
    """Mean absolute error and root mean squared error; the latter's standard error by the delta method."""
    truth = np.asarray(labels, dtype=np.float64)
    if truth.shape != scores.shape or not np.all(np.isfinite(truth)):
        raise ProfileError(f"labels: must be finite numbers, as many as scores, {scores.size}, got shape {truth.shape}")
    error = np.abs(scores - truth)
    squared = error**2
    root, rows = math.sqrt(float(squared.mean())), math.sqrt(error.size)
    return {
        "mae": Metric(float(error.mean()), float(error.std()) / rows),
        "rmse": Metric(root, float(squared.std()) / (2 * root * rows) if root > 0 else 0.0),
    }
