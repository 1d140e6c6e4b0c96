"""Count rows, scores, predicted classes and labels against a profile in a serving pod."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.columns import Rows
from perennate.drift.data.hashing import sampled
from perennate.drift.data.threads import check_workers, map_in_threads
from perennate.drift.profile.layout import ERRORS, ROWS, SEEN, Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.comparisons import CHUNK_ROWS
from perennate.drift.recording.counts import counts_document
from perennate.drift.recording.feature_cells import FeatureCells
from perennate.drift.recording.label_cells import Answer, LabelCells
from perennate.drift.recording.output_bins import OutputBins
from perennate.drift.recording.row_buffer import RowBuffer
from perennate.drift.recording.target_cells import TargetCells


class Recorder:
    """Counts the traffic of one pod from its start. It is safe to call from several threads.

    Recording must never fail a request: catch every exception of `record`, `record_scores` and `record_predictions`,
    and call `record_error`.

    Args:
        profile: the profile to count against.
        model, version: name of the served model line, and digest of the version; written to the document.
        start: when counting begins, in seconds since 1970. The operator recognizes a restart of the pod by it.
        sampling_ratio: share of the rows whose features are counted, above 0 and at most 1. The row number alone
            decides which. Scores, predicted classes and labels are always counted.
    """

    def __init__(
        self, profile: Profile, *, model: str, version: str, start: float, sampling_ratio: float = 1.0
    ) -> None:
        if not 0 < sampling_ratio <= 1:
            raise ValueError(f"sampling_ratio must be above 0 and at most 1, got {sampling_ratio}")
        self.profile = profile
        self._layout = Layout(profile)
        self._model, self._version, self._start = model, version, float(start)
        self._sampling_ratio = sampling_ratio
        self._features, self._outputs = FeatureCells(self._layout), OutputBins(profile)
        self._labels, self._targets = LabelCells(self._layout), TargetCells(self._layout)
        self._lock = threading.Lock()
        self._cells = np.zeros(self._layout.size, dtype=np.int64)
        self._moments = np.zeros((2, self._layout.numeric.size))
        self._rows_numbered = 0
        self._row_buffer = RowBuffer(self._features.numeric_features)
        self._score_start = self._layout.score_start

    def record(self, data: Any, names: Sequence[str] | None = None, *, workers: int = 1) -> None:
        """Count a batch of rows.

        An absent feature is missing in every row; columns that are not in the profile are ignored.

        Args:
            data: a mapping of one-dimensional, equally long columns; a data frame; a sequence of mappings, one per row;
                an array (rows, columns) with `names`; or validated Rows, whose matrix holds the features of the profile
                in order.
            names: names of the columns of an array.
            workers: number of threads for a large batch; each counts at least CHUNK_ROWS rows. The last digits of sums
                depend on it.

        Raises:
            ValueError: columns are not one-dimensional or differ in length, an array does not have one name per column,
                or `workers` is less than 1.
        """
        check_workers(workers)
        rows = self._features.read(data, names)
        received, rows = rows.size, self._sample(rows)
        if rows.size >= self._row_buffer.capacity:
            self._record_many(rows, received, workers)
        elif rows.matrix is not None:
            # A single row takes half the time without an array of counts.
            with self._lock:
                self._buffer_rows(rows.matrix.T)
                self._cells[ROWS] += rows.size
                self._cells[SEEN] += received
        else:
            counted = np.zeros(self._layout.size, dtype=np.int64)
            counted[ROWS], counted[SEEN] = rows.size, received
            self._features.count_categories(rows, counted)
            buffer = self._features.take_buffer(rows.size)
            values = self._features.numbers(rows, counted, buffer)
            with self._lock:
                self._buffer_rows(values)
                self._cells += counted
            self._features.return_buffer(buffer)

    def _record_many(self, rows: Rows, received: int, workers: int) -> None:
        """Count a large batch without the row buffer."""
        found = map_in_threads(workers, self._features.count, rows.parts(max(-(-rows.size // workers), CHUNK_ROWS)))
        with self._lock, np.errstate(over="ignore", invalid="ignore"):
            self._cells[ROWS] += rows.size
            self._cells[SEEN] += received
            for counted, moments in found:
                self._cells += counted
                self._moments += moments

    def _buffer_rows(self, values: Floats) -> None:
        """Add numbers, (numeric features, rows), to the row buffer; the caller holds the lock."""
        while (added := self._row_buffer.add(values)) < values.shape[1]:
            self._flush_buffer()
            values = values[:, added:]

    def _flush_buffer(self) -> None:
        """Count and empty the row buffer; the caller holds the lock."""
        values = self._row_buffer.take()
        if values.shape[1]:
            self._features.count_numbers(values, self._cells, self._moments)

    def _sample(self, rows: Rows) -> Rows:
        """Select the rows that are counted."""
        if self._sampling_ratio == 1:
            return rows
        with self._lock:
            first = self._rows_numbered
            self._rows_numbered += rows.size
        return rows.part(sampled(first, rows.size, self._sampling_ratio))

    def bin_scores(self, scores: npt.ArrayLike) -> Ints:
        """Return the score bin of each row, -1 for NaN, without counting. The prediction id carries it to the label.

        Raises:
            ValueError: the profile has no score.
        """
        return self._outputs.score_bins(scores)

    def record_scores(self, scores: npt.ArrayLike) -> Ints:
        """Count the scores of a batch and return their bins as `bin_scores` does; NaN is counted as a missing score."""
        bins = self._outputs.score_bins(scores)
        if bins.size == 1 and (position := bins.item()) >= 0:
            # Most requests have one row. The model evicts this code's data from the cache, so touch little memory.
            with self._lock:
                self._cells[self._score_start + position] += 1
            return bins
        counted = np.bincount(bins + 1, minlength=self._layout.score_bins + 1)
        with self._lock:
            self._cells[self._layout.score] += counted[1:]
            self._cells[self._layout.unscored] += counted[0]
        return bins

    def class_positions(self, predictions: Sequence[object] | npt.NDArray[Any]) -> Ints:
        """Return the position of each predicted class in the profile, -1 if unknown, without counting."""
        return self._outputs.class_positions(predictions)

    def record_predictions(self, predictions: Sequence[object] | npt.NDArray[Any]) -> Ints:
        """Count the predicted classes of a batch and return them as `class_positions` does.

        They are counted only if the profile has predicted classes, i.e. for more than two classes.
        """
        positions = self._outputs.class_positions(predictions)
        if self.profile.prediction is not None:
            counted = np.bincount(positions[positions >= 0], minlength=len(self.profile.classes))
            with self._lock:
                self._cells[self._layout.prediction] += counted
        return positions

    def record_label(self, answer: Answer, label: object, *, delay: float | None = None) -> None:
        """Count the label of a prediction.

        Args:
            answer: output of the model, by `Profile.label_kind`: the score bin, the position of the predicted class, or
                the predicted value.
            label: the true class or value.
            delay: seconds from the prediction to its label, if known.

        Raises:
            LabelError: labels are not counted for this model, or the answer or the class is invalid.
        """
        self.record_labels([answer], [label], None if delay is None else [delay])

    def record_labels(
        self,
        answers: Sequence[Answer] | npt.NDArray[Any],
        labels: Sequence[object] | npt.NDArray[Any],
        delays: Sequence[float] | npt.NDArray[Any] | None = None,
    ) -> None:
        """Count the labels of many predictions, see `record_label`; if one is invalid, none is counted.

        Raises:
            LabelError: as `record_label`.
            ValueError: the arguments differ in length.
        """
        counted = self._labels.count(answers, labels, delays)
        self._targets.count(labels, counted)
        with self._lock:
            self._cells += counted

    def record_targets(self, values: Sequence[object] | npt.NDArray[Any]) -> None:
        """Count true values for the drift of the target alone, if the profile has one; `record_labels` does so too.

        Args:
            values: classes or numbers, None or NaN if unknown, (rows,).
        """
        counted = np.zeros(self._layout.size, dtype=np.int64)
        self._targets.count(values, counted)
        with self._lock:
            self._cells += counted

    def record_error(self) -> None:
        """Count a batch that could not be counted."""
        with self._lock:
            self._cells[ERRORS] += 1

    def document(self) -> dict[str, Any]:
        """Return the counts document, a consistent snapshot: the cells of every feature add up to the rows."""
        with self._lock:
            self._flush_buffer()
            cells, moments = self._cells.copy(), self._moments.copy()
        return counts_document(
            self._layout, cells, moments, model=self._model, version=self._version, start=self._start
        )
