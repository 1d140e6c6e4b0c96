"""Counting the rows of files against a profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from perennate.cli.drift.checks import TruthCheck, as_floats, check_columns, check_types
from perennate.cli.drift.counting_spec import CountingSpec
from perennate.cli.drift.performance_counts import PerformanceCounts, performance_counts_of
from perennate.cli.drift.reference import READERS, read_output
from perennate.drift import CountsError, Recorder, Sample, Window, class_text
from perennate.drift.data.documents import MAX_COUNT
from perennate.drift.profile.features import CategoricalFeature, Feature
from perennate.tabular.errors import UsageError
from perennate.tabular.reading import DataFile, RetypedError, Ticker, no_rows, part_of, usable
from perennate.tabular.values import Coded, Column, Values, as_number, categories

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
    """

    names: tuple[str, ...]
    sample: Sample
    performance_counts: PerformanceCounts | None = None
    unlabelled: str = ""
    extra: tuple[str, ...] = ()


def count_files(files: Sequence[DataFile], spec: CountingSpec, tick: Ticker) -> CurrentData:
    """Count the rows of all files together.

    Args:
        files: files with the current rows.
        spec: what to count against.
        tick: receives the share that was read.

    Raises:
        UsageError: a file cannot be read or has no rows, or a column is missing or has another type.
    """
    window = Window(spec.profile, length=DAY, scrape_interval=DAY)
    performance_counts = performance_counts_of(spec.profile, spec.model) if spec.target and spec.prediction else None
    for index, file in enumerate(files):
        check_columns(file, spec)
        counts = _count(file, spec, part_of(tick, index, len(files)))
        if performance_counts is not None and counts.performance_counts is not None:
            performance_counts.counts += counts.performance_counts.counts
        # All rows of a file are in one sub-window, because their order in time is unknown.
        add_counts(counts.recorder.document(), window, file=file.name, pod=str(index), reference=spec.reference)
    sample = window.sample(DAY)
    check_types(spec, sample, " and ".join(file.name for file in files))
    used = {item.name for item in spec.profile.features} | {spec.target, spec.prediction} | spec.ignored
    extra = {name: None for file in files for name in file.schema.names if name not in used}
    return CurrentData(tuple(file.name for file in files), sample, performance_counts, unlabelled(spec), tuple(extra))


def unlabelled(spec: CountingSpec) -> str:
    """Why there are no performance counts although a target was given; empty otherwise."""
    if spec.target is None:
        return ""
    if spec.prediction is None:
        return "--target needs --prediction"
    return "" if performance_counts_of(spec.profile, spec.model) else f"{spec.reference} was built without true labels"


def add_counts(document: Mapping[str, Any], window: Window, *, file: str, pod: str, reference: str) -> None:
    """Add the counts of a file to the window.

    Raises:
        UsageError: values of a column are so far from the reference that their sum overflows.
    """
    try:
        window.add(document, pod=pod, now=DAY)
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
    """

    def __init__(self, file: DataFile, spec: CountingSpec, *, labelled: bool) -> None:
        self.rows = 0
        self._file = file
        self.recorder = Recorder(spec.profile, model="files", version="files", start=0.0)
        self.performance_counts = performance_counts_of(spec.profile, spec.model) if labelled else None
        self._spec = spec
        self._truth = TruthCheck(() if spec.model is None else spec.model.classes)
        self._readers = {item.name: (spec.column(item.name), reader(item)) for item in spec.profile.features}

    def add(self, batch: pa.RecordBatch) -> None:
        """Count some rows."""
        if not batch.num_rows:
            return
        self.rows += batch.num_rows
        columns = {name: self._column(batch, name) for name in self._readers}
        self.recorder.record(columns, workers=self._spec.workers)
        prediction, target = self._spec.prediction, self._spec.target
        if prediction is None or prediction not in batch.schema.names:
            return
        predictions = self._output(batch, prediction)
        if self._spec.scored:
            predictions = as_floats(predictions, self._file.name, prediction, "prediction")
            self.recorder.record_scores(predictions)
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

    def _column(self, batch: pa.RecordBatch, feature: str) -> Values | Coded:
        """The values of a feature."""
        column, read = self._readers[feature]
        with usable(self._file.name, column):
            return read(batch.column(column))

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


def _count(file: DataFile, spec: CountingSpec, tick: Ticker) -> FileCounts:
    """Count one file, from the start again if a column turns out to have another type."""
    names = file.schema.names
    outputs = [name for name in (spec.prediction, spec.target) if name is not None and name in names]
    columns = list(dict.fromkeys([*(spec.column(item.name) for item in spec.profile.features), *outputs]))
    while True:
        counts = FileCounts(file, spec, labelled=len(outputs) == 2)
        try:
            for batch in file.batches(columns, tick):
                counts.add(batch)
        except RetypedError:
            continue
        counts.finish()
        return counts


def reader(feature: Feature) -> Callable[[Column], Values | Coded]:
    """How a column is read for a feature."""
    if not isinstance(feature, CategoricalFeature):
        return READERS[feature.kind]
    known = set(feature.categories)
    numeric = {class_text(number): text for text in known if not isinstance(number := as_number(text), str)}

    def canonical(text: Any) -> Any:
        """The category as the reference spells it. pandas writes integer codes as 1.0 if one is missing."""
        if not isinstance(text, str) or text in known or not numeric:
            return text
        number = as_number(text)
        return text if isinstance(number, str) else numeric.get(class_text(number), text)

    return lambda column: categories(column, canonical)
