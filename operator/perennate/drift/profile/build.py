"""Build a profile from the training and hold-out rows of a model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.api.feature_types import FeatureKind
from perennate.drift.data.arrays import Floats
from perennate.drift.data.categories import class_text
from perennate.drift.data.columns import Column, as_column, read_columns
from perennate.drift.data.errors import ProfileError
from perennate.drift.data.threads import map_in_threads
from perennate.drift.metrics import confusion, labelled, regression
from perennate.drift.metrics.isotonic import calibrate
from perennate.drift.metrics.measurement import Measurement
from perennate.drift.profile.bins import bin_of, cut_feature, cut_score
from perennate.drift.profile.describe import describe_column
from perennate.drift.profile.features import MAX_BINS, CategoricalFeature, Feature
from perennate.drift.profile.holdout import Holdout, Values, finite_numbers
from perennate.drift.profile.outputs import TARGET, Residual, Score, score_borders, score_kind
from perennate.drift.profile.profile import Metric, Profile, Task
from perennate.drift.profile.quantiles import encode_quantiles
from perennate.drift.profile.tolerance import TOLERANCE

THRESHOLD = 0.5
"""scikit-learn predicts the second of two classes if its probability is above one half."""


def build_profile(
    columns: Any,
    *,
    task: Task,
    score: npt.ArrayLike | None = None,
    labels: Values | None = None,
    predictions: Values | None = None,
    unscored: int = 0,
    classes: Sequence[object] = (),
    metrics: Mapping[str, tuple[float, float]] | None = None,
    categorical: Collection[str] = (),
    datetimes: Collection[str] = (),
    importance: Mapping[str, float] | None = None,
    threshold: float = THRESHOLD,
    workers: int = 1,
) -> Profile:
    """Build the profile of a model.

    Arrays of numbers, booleans and times, and object arrays that hold nothing else, become features of that kind (for
    times see dates.py); all other columns are categories. Durations raise an error.

    Args:
        columns: training rows by column, in the model's order, all of one length: a mapping of one-dimensional arrays,
            or any form that `Recorder.record` accepts except an array.
        task: classification or regression.
        score: of hold-out rows, never of training rows, (hold-out rows,): the probability of `classes[1]` for two
            classes, of the likeliest class for more, the prediction for regression. None: the profile has no score.
        labels: true classes or values of the same hold-out rows. They give calibration, residuals and the baseline
            metrics with standard errors: accuracy, precision, recall, f1, auc, logLoss and brier of two classes; with
            `predictions`, accuracy and macroF1 of more; mae, rmse and bias of a regression.
        predictions: predicted classes of the same hold-out rows; only used for more than two classes.
        unscored: hold-out rows without a score, which `score` leaves out.
        classes: of two classes, the negative and the positive one; more in the order of predict_proba; none for
            regression.
        metrics: further baselines, name to (value, standard error).
        categorical: columns to treat as categories, whatever their type.
        datetimes: columns to treat as times, whatever their type, e.g. ISO 8601 strings.
        importance: importance of features in the model, by name.
        threshold: of two classes, scores above it are predicted positive.
        workers: number of threads; each processes one column at a time. The result does not depend on it.

    Raises:
        ValueError: `workers` is less than 1.
        ProfileError: the input is empty, ragged, of an unsupported type, or refers to an unknown class or column.
    """
    found, rows = _read(columns)
    texts = tuple(class_text(value) for value in classes)
    scores = None if score is None else finite_numbers("score", score)
    holdout = Holdout(texts, labels, predictions, scores)
    built = None if scores is None else _score(scores, holdout, threshold, unscored)
    residual = _residual(scores, holdout)
    profile = Profile(
        task=task,
        features=_features(found, rows, categorical, datetimes, importance or {}, workers),
        score=built,
        classes=texts,
        metrics=_baselines(scores, holdout, built, residual) | _given(metrics or {}),
        rows=rows,
        holdout_rows=holdout.rows,
        prediction=holdout.predicted_counts,
        residual=residual,
        target=_target(holdout),
    )
    # All checks are in the reader, so a profile that is written can be read.
    return Profile.from_document(profile.to_document())


def _read(columns: Any) -> tuple[dict[str, Column], int]:
    """Return columns by name and the number of rows."""
    try:
        found = {name: as_column(values) for name, values in columns.items()} if isinstance(columns, Mapping) else None
        found = read_columns(columns)[0] if found is None else found
    except ValueError as error:
        raise ProfileError(str(error)) from error
    if not found:
        raise ProfileError("columns: must hold at least one column, got none")
    shapes = {name: np.shape(item if isinstance(item, np.ndarray) else item.codes) for name, item in found.items()}
    for name, shape in shapes.items():
        if len(shape) != 1 or shape[0] == 0 or shape != next(iter(shapes.values())):
            raise ProfileError(
                f"columns[{name!r}]: must be one-dimensional, not empty and as long as the others, got shape {shape}"
            )
    return found, int(next(iter(shapes.values()))[0])


def _features(
    columns: dict[str, Column],
    rows: int,
    categorical: Collection[str],
    datetimes: Collection[str],
    importance: Mapping[str, float],
    workers: int,
) -> tuple[Feature, ...]:
    """Describe every column as a feature."""
    for argument, names in (("categorical", categorical), ("datetimes", datetimes), ("importance", importance)):
        unknown = sorted(set(names) - set(columns))
        if unknown:
            raise ProfileError(f"{argument}: must name columns, got {unknown[0]!r}")
    free: SimpleQueue[Floats] = SimpleQueue()
    for _ in range(workers):
        free.put(np.empty(rows))

    def described(item: tuple[str, Column]) -> Feature:
        """Describe one column, sorted in a free scratch array."""
        (name, column), scratch = item, free.get()
        kind: FeatureKind | None = "categorical" if name in categorical else "datetime" if name in datetimes else None
        weight = importance.get(name)
        try:
            given = None if weight is None else float(weight)
            return describe_column(name, column, scratch, kind=kind, importance=given)
        except ValueError as error:
            raise ProfileError(f"columns[{name!r}]: {error}") from error
        finally:
            free.put(scratch)

    return tuple(map_in_threads(workers, described, columns.items()))


def _target(holdout: Holdout) -> Feature | None:
    """The reference distribution of the true classes, all of them in their order, or of the true values."""
    if holdout.values is not None:
        return describe_column(TARGET, holdout.values, np.empty(holdout.rows))
    if holdout.positions is None or len(holdout.classes) > MAX_BINS:
        return None
    counts = np.bincount(holdout.positions, minlength=len(holdout.classes))
    return CategoricalFeature(TARGET, holdout.classes, counts, missing=0, other=0)


def _score(scores: Floats, holdout: Holdout, threshold: float, unscored: int) -> Score:
    """The reference distribution of the score."""
    kind = score_kind(holdout.classes)
    if kind != "prediction" and (scores.min() < 0 or scores.max() > 1):
        raise ProfileError(f"score: must be probabilities, got {scores.min()} to {scores.max()}")
    cut = threshold if kind == "probability" else None
    edges, decile = cut_score(scores, cut)
    bins = bin_of(score_borders(edges, float(scores.min()), float(scores.max()), cut, TOLERANCE), scores)
    counts = np.bincount(bins, minlength=edges.size + 1)
    right, ordered = holdout.right, np.sort(scores)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, sd = np.nan_to_num((ordered.mean(), ordered.std())).tolist()
    return Score(
        kind=kind,
        edges=edges,
        decile=decile,
        counts=counts,
        threshold=cut,
        calibration=None if right is None else calibrate(np.bincount(bins[right], minlength=counts.size), counts),
        minimum=float(ordered[0]),
        maximum=float(ordered[-1]),
        mean=mean,
        sd=sd,
        quantile_positions=encode_quantiles(ordered, edges, counts),
        means=labelled.mean_scores(scores, bins, edges) if kind == "probability" else None,
        missing=unscored,
        tolerance=TOLERANCE,
    )


def _residual(scores: Floats | None, holdout: Holdout) -> Residual | None:
    """The reference distribution of the residuals of a regression."""
    if scores is None or holdout.values is None:
        return None
    with np.errstate(over="ignore"):
        errors = scores - holdout.values
    if not np.isfinite(errors).all():
        raise ProfileError("labels: must have a finite difference to the scores")
    # The bins of residuals only show clustered labels, so they need no tolerance.
    edges = cut_feature(np.sort(errors), tolerance=0.0).edges
    unit = regression.residual_unit(errors, holdout.values)
    return Residual(edges, np.bincount(bin_of(edges, errors), minlength=edges.size + 1), unit)


def _baselines(
    scores: Floats | None, holdout: Holdout, score: Score | None, residual: Residual | None
) -> dict[str, Metric]:
    """Baseline metrics of the hold-out rows, by the formulas that are used for traffic."""
    measured: dict[str, Measurement] = {}
    if scores is not None and holdout.values is not None and residual is not None:
        sums = regression.residual_sums(scores - holdout.values, residual.unit)
        measured = regression.measure_all(regression.Residuals.from_sums(sums, residual.unit))
    elif holdout.confusion is not None:
        measured = confusion.measure_all(holdout.confusion)
    elif scores is not None and score is not None and score.kind == "probability" and holdout.positions is not None:
        negatives, positives = labelled.labels_by_bin(bin_of(score.borders, scores), holdout.positions == 1, score.bins)
        measured = labelled.measure_all(negatives, positives, first_positive=score.first_positive, means=score.means)
    return {name: Metric(found.value, found.standard_error) for name, found in measured.items()}


def _given(metrics: Mapping[str, tuple[float, float]]) -> dict[str, Metric]:
    return {name: Metric(float(value), float(error)) for name, (value, error) in metrics.items()}
