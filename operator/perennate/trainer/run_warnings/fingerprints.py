"""Hashes of rows and of columns, by which equal ones are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

Hashes = npt.NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_STEPS: Final = ((30, np.uint64(0xBF58476D1CE4E5B9)), (27, np.uint64(0x94D049BB133111EB)))
_MISSING: Final = 2**32
"""Code of a missing text or boolean; codes of values are smaller."""


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """Hashes of 64 bits: two different rows of ten million have the same with a probability below 1e-5.

    Args:
        rows: of the values of each row, (rows,).
        columns: of the values of each column, by name. Texts count by their order of appearance, so that two columns
            of text with the same hash may differ in spelling.
    """

    rows: Hashes
    columns: dict[str, int]


def fingerprints(table: pa.Table, *, shuffle: np.random.Generator | None = None) -> Fingerprints:
    """The hashes of a table.

    Args:
        table: of prepared rows.
        shuffle: if given, the values of each column are shuffled before; the rows then agree only by chance.
    """
    hashes = np.zeros(table.num_rows, dtype=np.uint64)
    weights = _mixed(np.arange(table.num_rows, dtype=np.uint64) + _GOLDEN)
    columns: dict[str, int] = {}
    for number, name in enumerate(table.column_names):
        codes = column_codes(table[name])
        if shuffle is not None:
            codes = shuffle.permutation(codes)
        mixed = _mixed(codes)
        hashes = _mixed(hashes * _GOLDEN + mixed + np.uint64(number))
        columns[name] = int((mixed * weights).sum())
    return Fingerprints(hashes, columns)


def column_codes(column: pa.ChunkedArray) -> Hashes:
    """A code for each value, (rows,): equal values have equal codes, and missing values are equal to each other."""
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        numbers = np.array(column.cast(pa.float64(), safe=False).to_numpy())
        numbers[numbers == 0] = 0.0
        numbers[np.isnan(numbers)] = np.nan
        return numbers.view(np.uint64)
    if pa.types.is_boolean(column.type):
        return _filled(column.cast(pa.int8()))
    encoded = pc.dictionary_encode(column)
    return _filled(pa.chunked_array([chunk.indices for chunk in encoded.chunks], pa.int32()))


def equal_columns(table: pa.Table, hashes: dict[str, int], names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of a column and the first one that equals it, in the order of the table."""
    first: dict[tuple[Any, int], list[str]] = {}
    pairs = []
    for name in names:
        earlier = first.setdefault((str(table[name].type), hashes[name]), [])
        same = next((other for other in earlier if _same_text(table, name, other)), None)
        if same is None:
            earlier.append(name)
        else:
            pairs.append((name, same))
    return pairs


def _same_text(table: pa.Table, name: str, other: str) -> bool:
    return not pa.types.is_string(table[name].type) or bool(table[name].equals(table[other]))


def _filled(codes: pa.ChunkedArray) -> Hashes:
    return np.asarray(codes.cast(pa.uint64()).fill_null(_MISSING).to_numpy(), dtype=np.uint64)


def _mixed(values: Hashes) -> Hashes:
    """The finalizer of SplitMix64: every bit of a value changes about half of the bits of the result."""
    for shift, factor in _STEPS:
        values = (values ^ (values >> np.uint64(shift))) * factor
    return values ^ (values >> np.uint64(31))
