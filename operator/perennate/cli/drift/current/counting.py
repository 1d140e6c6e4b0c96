"""Counting the rows of all current files together, against a profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perennate.cli.drift.current.advice import notes_on
from perennate.cli.drift.current.checks import check_columns
from perennate.cli.drift.current.counting_spec import CountingSpec
from perennate.cli.drift.current.file_counts import FileCounts, count_file, statistics_of
from perennate.cli.drift.current.time_slots import PARTS, time_slots
from perennate.cli.drift.current.unseen import UnseenValues
from perennate.cli.drift.outputs.counts import PerformanceCounts, performance_counts_of
from perennate.drift import CountsError, Sample, Window
from perennate.drift.data.documents import MAX_COUNT
from perennate.report.document import Summary
from perennate.tabular.errors import EmptyFileError, UsageError
from perennate.tabular.reading import DataFile, Ticker, part_of

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
            total.add(file, count_file(file, spec, slots, part_of(tick, index, len(paths))), pod=str(index))
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
