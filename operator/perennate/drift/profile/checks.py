"""Consistency checks between the fields of a profile."""

from __future__ import annotations

from perennate.drift.data.arrays import Ints
from perennate.drift.data.documents import abbreviated
from perennate.drift.data.errors import ProfileError
from perennate.drift.profile.features import CategoricalFeature, Feature
from perennate.drift.profile.outputs import BINARY_CLASSES, Residual, Score, score_kind


def check_names(features: tuple[Feature, ...], reserved: tuple[str, ...]) -> None:
    """Raise unless feature names are non-empty, unique, and different from the names of the outputs."""
    seen: set[str] = set()
    for index, feature in enumerate(features):
        if not feature.name or feature.name in reserved or feature.name in seen:
            raise ProfileError(
                f"features[{index}].name: must be a unique name other than {' and '.join(map(repr, reserved))}, "
                f"got {abbreviated(feature.name)}"
            )
        seen.add(feature.name)


def check_sums(features: tuple[Feature, ...], rows: int) -> None:
    """Raise unless the counts of each feature add up to the rows, or to the part of them that is counted."""
    for index, feature in enumerate(features):
        counted = feature.counted_rows if isinstance(feature, CategoricalFeature) else None
        if counted is not None and not 0 < counted <= rows:
            raise ProfileError(f"features[{index}].countedRows: must be from 1 to rows = {rows}, got {counted}")
        name, wanted = ("rows", rows) if counted is None else ("countedRows", counted)
        if feature.described_rows != wanted:
            raise ProfileError(
                f"features[{index}]: counts, missing and other must add up to {name} = {wanted}, "
                f"got {feature.described_rows}"
            )


def check_outputs(
    task: str, classes: tuple[str, ...], score: Score | None, prediction: Ints | None, residual: Residual | None
) -> None:
    """Raise unless the outputs match the task and the number of classes."""
    if (task == "regression") != (not classes) or len(classes) == 1:
        raise ProfileError(f"classes: must be none for regression, else two or more, got {len(classes)}")
    if prediction is not None and len(classes) <= BINARY_CLASSES:
        raise ProfileError(
            f"prediction: must be null unless there are more than two classes, got {len(classes)} of them"
        )
    if residual is not None and task != "regression":
        raise ProfileError(f"residual: must be null for {task}")
    if score is not None and score.kind != (wanted := score_kind(classes)):
        raise ProfileError(f"score.kind: must be {wanted!r} here, got {score.kind!r}")


def check_holdout(rows: int, score: Score | None, prediction: Ints | None, residual: Residual | None) -> None:
    """Raise unless the counts of each output add up to the hold-out rows."""
    counted = {
        "score": None if score is None else score.counts,
        "prediction": prediction,
        "residual": None if residual is None else residual.counts,
    }
    for name, counts in counted.items():
        if counts is not None and int(counts.sum()) != rows:
            raise ProfileError(f"{name}.counts: must add up to holdoutRows = {rows}, got {int(counts.sum())}")
