"""Whether the labels of a window can all be of its predictions. If not, they say nothing about the performance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from perennate.drift.profile.layout import DELAYS
from perennate.reconcilers.drift_policy.evaluation.rounding import two_digits

if TYPE_CHECKING:
    from perennate.drift import Sample

PROMPT_SHARE: Final = 1 / 8
"""Labels are prompt if their delay is at most this share of the observed time, or at most a minute."""
DENSER: Final = 4.0
"""How much denser than in the window the traffic just before it may have been."""
MOST_LABELS: Final = 40
"""Labels for each row of the window, above which they are implausible with any delay: more than the labels of a month
that arrive in one day."""
LOST_ROWS: Final = 100
"""Rows that a pod may have counted and lost, between its last scrape and its end."""


def has_implausible_labels(sample: Sample) -> bool:
    """Whether more labels arrived than there can be predictions for them.

    Prompt labels belong to predictions in the window, or shortly before it. Late labels belong to predictions whose
    number is unknown, so only very many of them are implausible.
    """
    rows, observed = sample.seen, sample.until - sample.since
    if sample.labelled_rows > MOST_LABELS * rows + LOST_ROWS:
        return True
    if observed <= 0:
        return False
    prompt = [limit <= max(DELAYS[0], PROMPT_SHARE * observed) for limit in DELAYS]
    labels = np.cumsum(sample.label_delays())[: sum(prompt)]
    most = rows * (1 + DENSER * np.array(DELAYS[: labels.size]) / observed) + LOST_ROWS
    return bool(np.any(labels > most))


def describe_implausible(sample: Sample, window: str) -> str:
    """What is wrong with the labels. `window` is spec.window."""
    labels, rows = two_digits(sample.labelled_rows), two_digits(sample.seen)
    return (
        f"about {labels} labels in the window, but only {rows} predictions: labels are sent more than once; or, if "
        f"they are late, spec.window ({window}) must be longer than their delay"
    )
