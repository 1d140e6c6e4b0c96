"""What must hold between the parts of a profile, each of which may be right by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.drift.documents import shown
from perennate.drift.errors import ProfileError
from perennate.drift.features import Feature
from perennate.drift.outputs import BINARY_CLASSES, score_kind

if TYPE_CHECKING:
    from perennate.drift.profile import Profile


def check_names(features: tuple[Feature, ...], reserved: tuple[str, ...]) -> None:
    """Features are known by name, so names must be there, differ, and leave those of the outputs alone."""
    seen: set[str] = set()
    for index, feature in enumerate(features):
        if not feature.name or feature.name in reserved or feature.name in seen:
            raise ProfileError(
                f"features[{index}].name: must be a name of its own other than {' and '.join(map(repr, reserved))}, "
                f"got {shown(feature.name)}"
            )
        seen.add(feature.name)


def check_sums(profile: Profile) -> None:
    """Every row adds one to exactly one cell of each feature."""
    for index, feature in enumerate(profile.features):
        total = int(feature.counts.sum()) + feature.missing + feature.other
        if total != profile.rows:
            raise ProfileError(
                f"features[{index}]: counts, missing and other must add up to rows = {profile.rows}, got {total}"
            )


def check_outputs(profile: Profile) -> None:
    """What is known of the outputs follows from the task and the number of classes."""
    if (profile.task == "regression") != (not profile.classes) or len(profile.classes) == 1:
        raise ProfileError(f"classes: must be none for regression, else two or more, got {len(profile.classes)}")
    if profile.prediction is not None and len(profile.classes) <= BINARY_CLASSES:
        classes = len(profile.classes)
        raise ProfileError(f"prediction: must be null unless there are more than two classes, got {classes} of them")
    if profile.residual is not None and profile.task != "regression":
        raise ProfileError(f"residual: must be null for {profile.task}")
    if profile.score is not None and profile.score.kind != (wanted := score_kind(profile.classes)):
        raise ProfileError(f"score.kind: must be {wanted!r} here, got {profile.score.kind!r}")
    counted = {
        "score": None if profile.score is None else profile.score.counts,
        "prediction": profile.prediction,
        "residual": None if profile.residual is None else profile.residual.counts,
    }
    for name, counts in counted.items():
        if counts is not None and int(counts.sum()) != profile.holdout_rows:
            raise ProfileError(
                f"{name}.counts: must add up to holdoutRows = {profile.holdout_rows}, got {int(counts.sum())}"
            )
