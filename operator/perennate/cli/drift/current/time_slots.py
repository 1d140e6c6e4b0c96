"""Rows in the order of time, in parts: the variation between the parts shows how much neighbouring rows resemble.

Rows of a time series resemble their neighbours, so they carry less information than as many independent rows. The parts
are the sub-windows of the drift engine, which estimates the design effect from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from perennate.drift import Profile, Recorder
from perennate.tabular.errors import EmptyFileError, UsageError
from perennate.tabular.kinds import missing
from perennate.tabular.reading import DataFile, RetypedError, usable
from perennate.tabular.sampling import RowSample
from perennate.tabular.values import Coded, Column, Values, dates

PARTS = 12
"""Few parts, so that each is longer than the memory of most series."""
MOST_TIMES = 1_000_000
"""Times in memory, from which the borders of the parts are computed."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class TimeSlots:
    """Parts of all rows, with the same number of rows except for ties.

    Args:
        column: the column with the time.
        borders: last time of each part but the last one.
    """

    def __init__(self, column: str, borders: Floats) -> None:
        self.column = column
        self._borders = borders

    def of(self, batch: pa.RecordBatch, file: str) -> Ints:
        """The part of each row, (rows,).

        Raises:
            UsageError: a row has no time.
        """
        times = read_times(batch.column(self.column), file, self.column)
        return np.asarray(np.searchsorted(self._borders, times, side="left"), dtype=np.int64)


def time_slots(paths: Iterable[Path], open_file: Callable[[Path], DataFile], column: str) -> TimeSlots:
    """The parts of the rows of all files.

    Args:
        paths: the files.
        open_file: opens one of them.
        column: the column with the time: dates, or numbers that increase.

    Raises:
        UsageError: a file cannot be read or lacks the column, or a row has no time.
    """
    sample = RowSample(MOST_TIMES, None)
    for path in paths:
        try:
            file = open_file(path)
        except EmptyFileError:
            continue
        if column not in file.schema.names:
            raise UsageError(f"{file.name}: lacks the column {missing([column], file.schema.names)} that --time names")
        for batch in _sampled_times(file, column).to_batches():
            sample.add(batch)
    known = sample.table(pa.schema([(column, pa.float64())]))[column].to_numpy()
    shares = np.arange(1, PARTS) / PARTS
    return TimeSlots(column, np.quantile(known, shares, method="inverted_cdf") if known.size else np.zeros(0))


def _sampled_times(file: DataFile, column: str) -> pa.Table:
    """The times of the rows of a file, or of a uniform sample of them."""
    while True:
        sample = RowSample(MOST_TIMES, file.rows)
        try:
            for batch in file.batches([column], lambda share: None):
                times = pa.array(read_times(batch.column(column), file.name, column))
                sample.add(pa.RecordBatch.from_arrays([times], names=[column]))
        except RetypedError:
            continue
        return sample.table(pa.schema([(column, pa.float64())]))


def read_times(column: Column, file: str, name: str) -> Floats:
    """Times as numbers, (rows,).

    Raises:
        UsageError: a row has no time, or a text that is none.
    """
    with usable(file, name):
        values = dates(column)
    if values.dtype == object and all(isinstance(value, np.datetime64) for value in values):
        values = values.astype("datetime64[us]")
    if values.dtype.kind == "M" and not np.isnat(values).any():
        values = values.astype("datetime64[us]").astype(np.int64)
    if values.dtype.kind not in "if" or not np.isfinite(values).all():
        raise UsageError(f"{file}: column {name!r} must hold a date in ISO 8601 or a number in every row, for --time")
    return np.asarray(values, dtype=np.float64)


class PartedRecorder:
    """Records the rows of each part on their own.

    Args:
        profile: the profile to count against.
        workers: number of threads.
    """

    def __init__(self, profile: Profile, workers: int) -> None:
        self._profile, self._workers = profile, workers
        self._recorders: dict[int, Recorder] = {}

    def record(self, columns: Mapping[str, Values | Coded], parts: Ints | None) -> None:
        """Count rows.

        Args:
            columns: values by feature.
            parts: part of each row; None: all rows are in one.
        """
        for recorder, rows in self._split(parts):
            recorder.record({name: select(values, rows) for name, values in columns.items()}, workers=self._workers)

    def record_scores(self, scores: Values, parts: Ints | None) -> None:
        """Count scores of rows."""
        for recorder, rows in self._split(parts):
            recorder.record_scores(scores if rows is None else scores[rows])

    def record_targets(self, targets: Values, parts: Ints | None) -> None:
        """Count true values of rows."""
        for recorder, rows in self._split(parts):
            recorder.record_targets(targets if rows is None else targets[rows])

    def documents(self) -> dict[int, dict[str, Any]]:
        """The counts of each part."""
        return {part: recorder.document() for part, recorder in sorted(self._recorders.items())}

    def _split(self, parts: Ints | None) -> list[tuple[Recorder, npt.NDArray[np.bool_] | None]]:
        """The recorder and the rows of each part."""
        if parts is None:
            return [(self._recorder(0), None)]
        return [(self._recorder(part), parts == part) for part in np.unique(parts).tolist()]

    def _recorder(self, part: int) -> Recorder:
        if part not in self._recorders:
            self._recorders[part] = Recorder(self._profile, model="files", version="files", start=0.0)
        return self._recorders[part]


def select(values: Values | Coded, rows: npt.NDArray[np.bool_] | None) -> Values | Coded:
    """Some rows of a column; None: all."""
    if rows is None:
        return values
    return Coded(values.categories, values.codes[rows]) if isinstance(values, Coded) else values[rows]
