"""Counting the rows of files against a profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from perennate.cli.drift.columns.features import read_output
from perennate.cli.drift.current.advice import notes_on
from perennate.cli.drift.current.checks import TruthCheck, as_floats, check_columns
from perennate.cli.drift.current.counting_spec import CountingSpec
from perennate.cli.drift.current.feature_reader import FeatureReader
from perennate.cli.drift.current.statistics import NumberStatistics, floats_or_nan, reader_of
from perennate.cli.drift.current.time_slots import PARTS, PartedRecorder, TimeSlots, time_slots
from perennate.cli.drift.current.unseen import UnseenValues
from perennate.cli.drift.outputs.counts import PerformanceCounts, performance_counts_of
from perennate.drift import CountsError, Sample, Window
from perennate.drift.data.documents import MAX_COUNT
from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.outputs import SCORE
from perennate.report.document import Summary
from perennate.tabular.errors import EmptyFileError, UsageError
from perennate.tabular.reading import DataFile, RetypedError, Ticker, no_rows, part_of, usable
from perennate.tabular.values import Coded, Values

DAY = 86_400.0


@dataclass(frozen=True)
class CurrentData:
    """The counted current data.

    Args:
        names: names of the files.
        sample: the counts.
        performance_counts: predictions against true labels; None without predictions or labels.
        unlabelled: why there are no performance counts although a target was given; empty otherwise.
        extra: columns that are not in the reference.
        remarks: sentences on how the files were read, and on columns that hold something else than the reference.
        unseen: the most frequent unseen values by feature, with their numbers of rows.
        summaries: statistics of the numeric features and of the score.
    """

    names: tuple[str, ...]
    sample: Sample
    performance_counts: PerformanceCounts | None = None
    unlabelled: str = ""
    extra: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    unseen: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    summaries: Mapping[str, Summary] = field(default_factory=dict)


def count_files(
    paths: Sequence[Path], open_file: Callable[[Path], DataFile], spec: CountingSpec, tick: Ticker
) -> CurrentData:
    """Count the rows of all files together. A file without rows is skipped.

    Args:
        paths: files with the current rows.
        open_file: opens one of them; only one is open at a time.
        spec: what to count against.
        tick: receives the share that was read.

    Raises:
        UsageError: a file cannot be read, or a column is missing.
    """
    total = Totals(spec)
    slots = None if spec.time is None else time_slots(paths, open_file, spec.time)
    for index, path in enumerate(paths):
        try:
            file = open_file(path)
            check_columns(file, spec)
            total.add(file, _count(file, spec, slots, part_of(tick, index, len(paths))), pod=str(index))
        except EmptyFileError as error:
            total.remarks.append(f"{error}, and is skipped.")
    return total.data(tuple(str(path) for path in paths))


class Totals:
    """The counts of several files.

    Args:
        spec: what they are counted against.
    """

    def __init__(self, spec: CountingSpec) -> None:
        self.remarks: list[str] = []
        self._spec = spec
        # Without times, all rows are in one sub-window, because their order is unknown.
        self._slot = DAY if spec.time is None else DAY / PARTS
        self._window = Window(spec.profile, length=DAY, scrape_interval=self._slot)
        labelled = spec.target is not None and spec.prediction is not None
        self._performance_counts = performance_counts_of(spec.profile, spec.model) if labelled else None
        self._extra: dict[str, None] = {}
        self._unseen = {item.name: UnseenValues() for item in spec.profile.features}
        self._statistics, self._scores = statistics_of(spec)

    def add(self, file: DataFile, counts: FileCounts, *, pod: str) -> None:
        """Add the counts of a file.

        Raises:
            UsageError: values of a column are so far from the reference that their sum overflows.
        """
        spec = self._spec
        if self._performance_counts is not None and counts.performance_counts is not None:
            self._performance_counts.counts += counts.performance_counts.counts
        for part, document in counts.recorder.documents().items():
            now = (part + 0.5) * self._slot
            name = f"{pod}/{part}"
            add_counts(document, self._window, file=file.name, pod=name, now=now, reference=spec.reference)
        for name, reader in counts.readers.items():
            self._unseen[name].merge(reader.unseen)
        self._statistics.merge(counts.statistics)
        self._scores.merge(counts.scores)
        used = {item.name for item in spec.profile.features} | {spec.target, spec.prediction, spec.time} | spec.ignored
        self._extra |= dict.fromkeys(name for name in file.schema.names if name not in used)
        self.remarks += [*file.remarks, *notes_on(file, counts.readers.values(), spec.reference)]

    def data(self, names: tuple[str, ...]) -> CurrentData:
        """The counted data."""
        return CurrentData(
            names,
            self._window.sample(DAY),
            self._performance_counts,
            unlabelled(self._spec),
            tuple(self._extra),
            tuple(self.remarks),
            {name: values.named() for name, values in self._unseen.items()},
            self._statistics.summaries() | self._scores.summaries(),
        )


def statistics_of(spec: CountingSpec) -> tuple[NumberStatistics, NumberStatistics]:
    """Empty statistics of the numbers and dates among the features, and of the score."""
    features = [item for item in spec.profile.features if isinstance(item, NumericFeature) and item.kind != "boolean"]
    readers = {item.name: reader_of(item) for item in features}
    return NumberStatistics(readers), NumberStatistics({SCORE: floats_or_nan} if spec.scored else {})


def unlabelled(spec: CountingSpec) -> str:
    """Why there are no performance counts although a target was given; empty otherwise."""
    if spec.target is None:
        return ""
    if spec.prediction is None:
        return "--target needs --prediction"
    return "" if performance_counts_of(spec.profile, spec.model) else f"{spec.reference} was built without true labels"


def add_counts(document: Mapping[str, Any], window: Window, *, file: str, pod: str, now: float, reference: str) -> None:
    """Add the counts of a file, or of a part of it, to the window at a time.

    Raises:
        UsageError: values of a column are so far from the reference that their sum overflows.
    """
    try:
        window.add(document, pod=pod, now=now)
    except CountsError as error:
        offsets = zip(document["features"], document["offsets"], strict=True)
        name = next((name for name, offset in offsets if offset is not None and abs(offset) > MAX_COUNT), None)
        if name is None:
            raise UsageError(f"{file}: cannot be counted: {error}") from error
        raise UsageError(
            f"{file}: column {name!r} is too far from its values in {reference} to be counted; is its unit different?"
        ) from error


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


def _count(file: DataFile, spec: CountingSpec, slots: TimeSlots | None, tick: Ticker) -> FileCounts:
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
