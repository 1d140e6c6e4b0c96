"""Counting the rows of one file, batch by batch."""

from __future__ import annotations

import pyarrow as pa

from perennate.cli.drift.columns.features import read_output
from perennate.cli.drift.current.checks import TruthCheck, as_floats
from perennate.cli.drift.current.counting_spec import CountingSpec
from perennate.cli.drift.current.feature_reader import FeatureReader
from perennate.cli.drift.current.statistics import NumberStatistics, floats_or_nan, reader_of
from perennate.cli.drift.current.time_slots import PartedRecorder, TimeSlots
from perennate.cli.drift.outputs.counts import performance_counts_of
from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.outputs import SCORE
from perennate.tabular.reading import DataFile, RetypedError, Ticker, no_rows, usable
from perennate.tabular.values import Coded, Values


def count_file(file: DataFile, spec: CountingSpec, slots: TimeSlots | None, tick: Ticker) -> FileCounts:
    """Count one file, from the start again if a column turns out to have another type."""
    names = file.schema.names
    outputs = [name for name in (spec.prediction, spec.target) if name is not None and name in names]
    others = outputs if spec.time is None else [*outputs, spec.time]
    columns = list(dict.fromkeys([*(spec.column(item.name) for item in spec.profile.features), *others]))
    while True:
        counts = FileCounts(file, spec, labelled=len(outputs) == 2, slots=slots)
        try:
            for batch in file.batches(columns, tick):
                counts.add(batch)
        except RetypedError:
            continue
        counts.finish()
        return counts


class FileCounts:
    """The counts of one pass over a file.

    Args:
        file: the file, for messages.
        spec: what to count against.
        labelled: whether the file has predictions and true labels.
        slots: the parts of the rows by time; None: one part.
    """

    def __init__(self, file: DataFile, spec: CountingSpec, *, labelled: bool, slots: TimeSlots | None = None) -> None:
        self.rows = 0
        self._file = file
        self._slots = slots
        self.recorder = PartedRecorder(spec.profile, spec.workers)
        self.performance_counts = performance_counts_of(spec.profile, spec.model) if labelled else None
        self.statistics, self.scores = statistics_of(spec)
        self._spec = spec
        self._truth = TruthCheck(() if spec.model is None else spec.model.classes)
        self.readers = {
            item.name: FeatureReader(item, column, file, spec.kinds.get(column))
            for item in spec.profile.features
            for column in (spec.column(item.name),)
        }

    def add(self, batch: pa.RecordBatch) -> None:
        """Count some rows."""
        if not batch.num_rows:
            return
        self.rows += batch.num_rows
        columns = {name: self._column(batch, reader) for name, reader in self.readers.items()}
        parts = None if self._slots is None else self._slots.of(batch, self._file.name)
        self.recorder.record(columns, parts)
        self.statistics.add(columns, batch.num_rows)
        prediction, target = self._spec.prediction, self._spec.target
        if target is not None and target in batch.schema.names:
            self.recorder.record_targets(self._output(batch, target), parts)
        if prediction is None or prediction not in batch.schema.names:
            return
        predictions = self._output(batch, prediction)
        if self._spec.scored:
            predictions = as_floats(predictions, self._file.name, prediction, "prediction")
            self.recorder.record_scores(predictions, parts)
            self.scores.add({SCORE: predictions}, batch.num_rows)
        if self.performance_counts is not None and target is not None:
            self.performance_counts.add(predictions, self._truths(batch, target))

    def finish(self) -> None:
        """Check the file as a whole.

        Raises:
            UsageError: there are no rows, or no true label is a class of the reference.
        """
        if not self.rows:
            raise no_rows(self._file)
        self._truth.finish(self._file.name, self._spec.target)

    def _column(self, batch: pa.RecordBatch, reader: FeatureReader) -> Values | Coded:
        """The values of a feature."""
        with usable(self._file.name, reader.column):
            return reader.read(batch.column(reader.column))

    def _output(self, batch: pa.RecordBatch, column: str) -> Values:
        """Predictions or true labels."""
        with usable(self._file.name, column):
            return read_output(batch.column(column))

    def _truths(self, batch: pa.RecordBatch, name: str) -> Values:
        """True labels: classes of any type, or numbers."""
        truth = self._output(batch, name)
        if self._spec.model is not None and self._spec.model.form == "number":
            return as_floats(truth, self._file.name, name, "target")
        self._truth.add(truth)
        return truth


def statistics_of(spec: CountingSpec) -> tuple[NumberStatistics, NumberStatistics]:
    """Empty statistics of the numbers and dates among the features, and of the score."""
    features = [item for item in spec.profile.features if isinstance(item, NumericFeature) and item.kind != "boolean"]
    readers = {item.name: reader_of(item) for item in features}
    return NumberStatistics(readers), NumberStatistics({SCORE: floats_or_nan} if spec.scored else {})
