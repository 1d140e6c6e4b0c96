"""Counting in a serving pod: rows, scores and labels against a profile."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.arrays import Ints
from perennate.drift.bins import bin_of
from perennate.drift.categories import class_text
from perennate.drift.cells import CategoricalCells, Columns, NumericCells
from perennate.drift.counts import counts_document
from perennate.drift.layout import ERRORS, ROWS, SEEN, Layout
from perennate.drift.profile import Profile


class LabelError(ValueError):
    """A label that cannot be booked; the message says why."""


class Recorder:
    """Counts everything that one pod sees, from its start; safe to call from several threads.

    Recording must never fail a request: catch what `record` and `record_scores` raise and call `record_error`.

    Args:
        profile: reference to count against.
        model, version: what is served; handed on in the document.
        start: when counting begins, in seconds since 1970. With the pod it tells the operator one count from the next.
    """

    def __init__(self, profile: Profile, *, model: str, version: str, start: float) -> None:
        self.profile = profile
        self._layout = Layout(profile)
        self._model, self._version, self._start = model, version, float(start)
        self._numeric = NumericCells(self._layout)
        self._categorical = [
            CategoricalCells(self._layout, index)
            for index, feature in enumerate(profile.features)
            if feature.kind == "categorical"
        ]
        self._lock = threading.Lock()
        self._cells = np.zeros(self._layout.size, dtype=np.int64)
        self._moments = np.zeros((2, self._layout.numeric.size))

    def record(self, columns: Columns) -> None:
        """Count a batch of rows.

        Args:
            columns: values by column, each one-dimensional and of one length. A feature that is absent is missing in
                every row; columns outside the profile are not looked at.

        Raises:
            ValueError: columns are not one-dimensional or not of one length.
        """
        shapes: set[tuple[int, ...]] = {np.shape(values) for values in columns.values()}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise ValueError(f"columns must be one-dimensional and of one length, got shapes {sorted(shapes)}")
        rows = int(next(iter(shapes))[0])
        values, strange = self._numeric.read(columns, rows)
        places = [self._numeric.cells(values, strange).ravel()]
        places += [feature.cells(columns, rows) for feature in self._categorical]
        counted = np.bincount(np.concatenate(places), minlength=self._layout.size)
        counted[[ROWS, SEEN]] = rows
        known = np.isfinite(values)
        finite = np.where(known, values, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            moments = np.stack((finite.sum(axis=0), np.square(finite).sum(axis=0)))
            counted[self._layout.offsets] = self._numeric.offsets(values).sum(axis=0)
            with self._lock:
                self._cells += counted
                self._moments += moments

    def bin_scores(self, scores: npt.ArrayLike) -> Ints:
        """Score bin of each row, -1 for NaN, without counting. A prediction's id carries it back with the label.

        Raises:
            ValueError: the profile has no score.
        """
        if self.profile.score is None:
            raise ValueError("the profile has no score: the model was trained without hold-out rows")
        values = np.asarray(scores, dtype=np.float64).ravel()
        return np.where(np.isnan(values), -1, bin_of(self.profile.score.edges, values))

    def record_scores(self, scores: npt.ArrayLike) -> Ints:
        """Count the scores of a batch and return their bins as `bin_scores` does; NaN is not counted."""
        bins = self.bin_scores(scores)
        counted = np.bincount(bins[bins >= 0], minlength=self._layout.score_bins)
        with self._lock:
            self._cells[self._layout.score] += counted
        return bins

    def record_label(self, score_bin: int, label: object) -> None:
        """Book the true class of a prediction under the bin of its score.

        Raises:
            LabelError: no labels are counted for this model, there is no such bin, or no such class.
        """
        if self.profile.label_kind != "scores":
            raise LabelError(self.profile.no_labels or "labels of this model are not counted by score")
        if not 0 <= score_bin < self._layout.score_bins:
            raise LabelError(f"score bin must be from 0 to {self._layout.score_bins - 1}, got {score_bin}")
        text = class_text(label)
        if text not in self.profile.classes:
            raise LabelError(f"label must be one of {', '.join(self.profile.classes)}, got {text[:60]!r}")
        place = self._layout.label(self.profile.classes.index(text)).start + score_bin
        with self._lock:
            self._cells[place] += 1

    def record_error(self) -> None:
        """Count a batch that could not be counted."""
        with self._lock:
            self._cells[ERRORS] += 1

    def document(self) -> dict[str, Any]:
        """The counts document: a snapshot in which the cells of every feature add up to the rows."""
        with self._lock:
            cells, moments = self._cells.copy(), self._moments.copy()
        return counts_document(
            self._layout, cells, moments, model=self._model, version=self._version, start=self._start
        )
