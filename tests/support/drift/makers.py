"""Makers of profiles, rows, recorders, windows and tables for tests of the drift engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.recorder import Recorder
from perennate.drift.statistics.moments import BucketMoments
from perennate.drift.statistics.shape import Shape
from perennate.drift.statistics.tables import ReferenceCounts, Tables
from perennate.drift.windows.sample import Sample
from perennate.drift.windows.window import Window

HOUR = 3600.0
START = 1_767_225_600.0
"""The default start time of pods, in seconds since 1970."""
PEOPLE = build_profile(
    {"age": np.array([20.0, 30, 40, 50, 60]), "country": np.array(["de", "de", "fr", None, "it"], dtype=object)},
    task="classification",
    score=[0.1, 0.4, 0.6, 0.9],
    labels=["no", "no", "yes", "yes"],
    classes=["no", "yes"],
)
"""A small profile with a number and a category."""


@dataclass(frozen=True, eq=False)
class Coded:
    """A categorical column in the form that data frame libraries use."""

    categories: list[str]
    codes: np.ndarray


def generator(seed: int = 0) -> np.random.Generator:
    """A seeded random generator."""
    return np.random.default_rng(seed)


def make_columns(rows: int, seed: int = 0, *, features: int = 3, shift: float = 0.0) -> dict[str, np.ndarray]:
    """Normal columns f0, f1, ..., with f0 shifted, and the categorical column `country`."""
    draw = generator(seed)
    columns: dict[str, np.ndarray] = {f"f{index}": draw.normal(size=rows) for index in range(features)}
    columns["f0"] = columns["f0"] + shift
    columns["country"] = np.array(["de", "fr", "it", "es"], dtype=object)[draw.integers(0, 4, rows)]
    return columns


def make_scores(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated scores of a binary classifier, and true classes 0 and 1."""
    draw = generator(seed + 1000)
    scores = draw.beta(0.7, 1.3, rows)
    return scores, (draw.random(rows) < scores).astype(int)


def make_profile(rows: int = 10_000, seed: int = 0, *, holdout: int = 4000, features: int = 3) -> Profile:
    """The profile of a binary classifier with the features of `make_columns`."""
    scores, labels = make_scores(holdout, seed)
    return build_profile(
        make_columns(rows, seed, features=features), task="classification", score=scores, labels=labels, classes=[0, 1]
    )


def make_recorder(profile: Profile, *, start: float = START) -> Recorder:
    """A recorder with the names of a test model."""
    return Recorder(profile, model="churn", version="sha256:" + "0" * 64, start=start)


def make_document(profile: Profile, rows: int = 40, seed: int = 1, *, start: float = START) -> dict[str, Any]:
    """The counts document of a pod that counted `rows` rows with scores and labels."""
    recorder = make_recorder(profile, start=start)
    record(recorder, rows, seed)
    return recorder.document()


def record(recorder: Recorder, rows: int, seed: int, *, shift: float = 0.0, labelled: bool = True) -> None:
    """Record rows of `make_columns` with scores and, unless `labelled` is false, labels."""
    features = sum(feature.kind != "categorical" for feature in recorder.profile.features)
    recorder.record(make_columns(rows, seed, features=features, shift=shift))
    scores, labels = make_scores(rows, seed)
    bins = recorder.record_scores(scores)
    if labelled:
        for score_bin, label in zip(bins.tolist(), labels.tolist(), strict=True):
            recorder.record_label(score_bin, label)


def make_sample(
    profile: Profile, columns: dict[str, np.ndarray], *, scores: np.ndarray | None = None, parts: int = 12
) -> Sample:
    """The sample of a warm window with these rows, spread evenly over sub-windows."""
    window, recorder = Window(profile, length=24 * HOUR, scrape_interval=15), make_recorder(profile)
    rows = len(next(iter(columns.values())))
    for part, chosen in enumerate(np.array_split(np.arange(rows), parts)):
        recorder.record({name: values[chosen] for name, values in columns.items()})
        if scores is not None:
            recorder.record_scores(scores[chosen])
        window.add(recorder.document(), pod="a", now=START + 300 * part + 10)
    return window.sample(START + 2 * HOUR)


def make_tables(
    reference: npt.ArrayLike,
    current: npt.ArrayLike | None = None,
    parts: npt.ArrayLike | None = None,
    *,
    ordered: bool = True,
) -> Tables:
    """Tables with equal numbers of cells.

    `reference` and `current` have the shape (cells,) for one table or (tables, cells) for several; `parts` has
    a first axis of sub-windows.
    """
    first = np.atleast_2d(np.asarray(reference, dtype=np.float64))
    split = np.asarray([current] if parts is None else parts, dtype=np.float64).reshape(-1, first.size)
    return _tables(first.ravel(), split, np.full(first.shape[0], first.shape[1]), ordered=ordered)


def make_ragged(*pairs: tuple[list[float], list[list[float]]]) -> Tables:
    """Tables with any numbers of cells, each from a reference and sub-windows; all have equally many sub-windows."""
    flat = np.concatenate([np.asarray(reference, dtype=np.float64) for reference, _ in pairs])
    split = np.concatenate([np.asarray(parts, dtype=np.float64) for _, parts in pairs], axis=1)
    return _tables(flat, split, np.array([len(reference) for reference, _ in pairs]), ordered=True)


def _tables(reference: np.ndarray, parts: np.ndarray, sizes: np.ndarray, *, ordered: bool) -> Tables:
    shape, current = Shape.of(sizes, np.full(sizes.size, ordered)), parts.sum(axis=0)
    return Tables(ReferenceCounts(shape, reference), current, shape.sum(current), BucketMoments.of(parts, shape))
