"""JSON Lines: one JSON object in each line, as pandas writes with `orient="records", lines=True`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from perennate.tabular.errors import EmptyFileError, FormatError
from perennate.tabular.inference import widest
from perennate.tabular.reading import Ticker, check_names, check_width, readable
from perennate.tabular.sources import Source, TextFile
from perennate.tabular.values import is_text

BLOCK_ROWS = 4096
MAX_LINE = 1 << 20
"""Characters of the longest line."""
DATES = (pa.timestamp("us"), pa.timestamp("us", tz="UTC"))


class JsonRows:
    """A JSON Lines file, compressed or not.

    The columns are the keys of all objects, in the order in which they appear. A key that an object lacks is a missing
    value there. Types are those of all values: text in which every value is a date in ISO 8601 is a date, and values of
    different types are text.

    Args:
        source: where its bytes come from.

    Raises:
        UsageError: it cannot be opened, or a line is not a JSON object.
    """

    rows: int | None = None
    typed = True
    decimal = "."
    index: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self._text = TextFile(source)
        types: dict[str, pa.DataType] = {}
        for block, _ in self._blocks():
            names = dict.fromkeys(name for row in block for name in row)
            check_width(self.name, len(types.keys() | names))
            types |= dict.fromkeys(names.keys() - types.keys(), pa.null())
            types = {name: types[name] for name in dict.fromkeys([*types, *names])}
            types |= widest({name: types[name] for name in names}, {name: _inferred(block, name) for name in names})
        if not types:
            raise EmptyFileError(f"{self.name}: the file holds no rows")
        check_names(self.name, list(types))
        self.schema = pa.schema(list(types.items()))

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows, a bounded number at a time."""
        fields = [self.schema.field(name) for name in columns]
        for block, progress in self._blocks():
            arrays = [_as_type([row.get(field.name) for row in block], field.type) for field in fields]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))
            tick(progress)

    def _blocks(self) -> Iterator[tuple[list[dict[str, Any]], float]]:
        """Some rows at a time, and the share of the file that was read."""
        with readable(self.name, "jsonl"), self._text.open() as opened:
            lines = io.TextIOWrapper(io.BufferedReader(opened.text), encoding="utf-8-sig")
            rows: list[dict[str, Any]] = []
            size = 0
            for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE), ""), 1):
                if line.strip():
                    rows.append(self._row(number, line))
                    size += len(line)
                if len(rows) == BLOCK_ROWS or size > MAX_LINE:
                    yield rows, opened.progress
                    rows, size = [], 0
            if rows:
                yield rows, opened.progress

    def _row(self, number: int, line: str) -> dict[str, Any]:
        """One object."""
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            where = "is too long" if len(line) == MAX_LINE else "is not JSON"
            raise FormatError(f"{self.name}: cannot be read as jsonl: line {number} {where}") from error
        if not isinstance(row, dict):
            raise FormatError(f"{self.name}: cannot be read as jsonl: line {number} is not a JSON object")
        return row


def _inferred(block: list[dict[str, Any]], name: str) -> pa.DataType:
    """The type of some values of a column."""
    values = _array([row.get(name) for row in block])
    if is_text(values.type):
        return next((kind for kind in DATES if _is_of(values, kind)), values.type)
    return values.type


def _is_of(texts: pa.Array, kind: pa.DataType) -> bool:
    """Whether all texts are dates and times of a type."""
    try:
        texts.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _as_type(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values as a column of a type that fits all of them."""
    if is_text(kind):
        return pa.array([_text(value) for value in values], kind)
    found = _array(values)
    return found if found.type == kind else found.cast(kind, safe=False)


def _array(values: list[Any]) -> pa.Array:
    """Values as a column of the narrowest type; text if they have different types."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    """A value as text; None if it is missing."""
    return value if value is None or isinstance(value, str) else json.dumps(value)
