"""Samples of windows with given scores and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perennate.drift.metrics.regression import residual_sums
from perennate.drift.profile.layout import ROWS, SEEN, Layout
from perennate.drift.recording.counts import Counts
from perennate.drift.windows.sample import Sample
from perennate.drift.windows.window import Window
from tests.support.drift.makers import HOUR, START

if TYPE_CHECKING:
    from perennate.drift.profile.profile import Profile


def make_sample(
    profile: Profile,
    *,
    rows: int = 0,
    scores: npt.ArrayLike | None = None,
    labels: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    confusion: npt.ArrayLike | None = None,
    residuals: npt.ArrayLike | None = None,
    delays: npt.ArrayLike | None = None,
    pods: int = 1,
) -> Sample:
    """A sample of a window of one hour.

    Args:
        profile: reference of the counts.
        rows: number of rows.
        scores: rows by score bin.
        labels: labelled rows by score bin, of the negative and of the positive class.
        confusion: labelled rows by predicted and true class.
        residuals: prediction - truth of each labelled row.
        delays: labelled rows by delay of the label.
        pods: number of pods that share the counts.
    """
    layout = Layout(profile)
    cells = np.zeros(layout.size, dtype=np.int64)
    cells[[ROWS, SEEN]] = rows
    if scores is not None:
        cells[layout.score] = scores
    if labels is not None:
        cells[layout.label(0)], cells[layout.label(1)] = labels
    if confusion is not None:
        cells[layout.confusion] = np.ravel(confusion)
    if residuals is not None and profile.residual is not None:
        errors = np.asarray(residuals, dtype=np.float64)
        bins = np.searchsorted(profile.residual.edges, errors, side="left")
        cells[layout.residual] = np.bincount(bins, minlength=profile.residual.bins)
        cells[layout.residual_sums] = residual_sums(errors, profile.residual.unit)
    if delays is not None:
        cells[layout.delays] = delays
    window = Window(profile, length=24 * HOUR, scrape_interval=15)
    for pod in range(pods):
        # The first pods get the remainder.
        part = cells // pods + (pod < cells % pods)
        window.add(Counts(profile.digest, START, part), pod=f"pod-{pod}", now=START + HOUR)
    return window.sample(START + HOUR)
