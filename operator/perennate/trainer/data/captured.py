"""Labelled traffic: captured rows joined by id with the labels that arrived later.

`api.documents.captured_rows` describes the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perennate.api.documents.captured_rows import (
    ID,
    LABEL,
    OWN_PREFIX,
    TIME,
    FileKind,
    check_schema,
    file_pattern,
)
from perennate.api.documents.document import InvalidDocumentError
from perennate.api.feature_types import FEATURE_TYPES
from perennate.tabular.errors import UsageError
from perennate.tabular.opening import open_source
from perennate.tabular.reading import read_table
from perennate.tabular.sources import LocalFile
from perennate.trainer.errors import DataRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from perennate.api.documents.run_spec import CapturedData
    from perennate.api.feature_types import FeatureType


@dataclass(frozen=True)
class Captured:
    """The labelled rows of a folder."""

    table: pa.Table
    """Features, `perennate.time` and the label as text, one row each, ordered by time and id."""
    rows: int
    """Captured rows in the window, labelled or not."""
    skipped_files: int
    """Files that disappeared, are incomplete, or lack a column."""


def read_captured(
    folder: Path,
    spec: CapturedData,
    *,
    since: float,
    target: str,
    features: tuple[str, ...],
    types: Mapping[str, FeatureType] = MappingProxyType({}),
) -> Captured:
    """The labelled rows that were captured since a time.

    Args:
        folder: folder with the captured rows of a ModelDeployment.
        spec: the window and `minRows`.
        since: seconds since the epoch; older rows are excluded.
        target: name for the column of labels.
        features: columns to select; if empty, those of the newest file.
        types: types of the features of the version in service. Files of older versions are converted to them.

    Raises:
        DataRefusedError: fewer labelled rows than `minRows`, or a file of an unknown version of the format.
    """
    labels, unreadable_labels = _labels(folder)
    tables, unreadable_rows = _row_tables(folder, features, types)
    if any(target in table.column_names for table in tables):
        raise DataRefusedError(
            f"spec.data.target: {target!r} is a feature of the captured rows; give the label another name"
        )
    window = [_since(table, since) for table in tables]
    seen = sum(table.num_rows for table in window)
    labelled = [_with_labels(table, labels, target) for table in window]
    total = sum(table.num_rows for table in labelled)
    skipped = unreadable_labels + unreadable_rows
    if total < spec.min_rows:
        raise DataRefusedError(
            f"spec.data.captured.minRows: {total} labelled rows of {spec.model_deployment!r} in the last "
            f"{spec.window}, {spec.min_rows} are needed ({seen} rows captured, {len(labels)} labels, "
            f"{skipped} unreadable files); wait for more labels, widen spec.data.captured.window, or lower minRows"
        )
    joined = pa.concat_tables(labelled, promote_options="permissive")
    return Captured(joined.sort_by([(TIME, "ascending"), (ID, "ascending")]), rows=seen, skipped_files=skipped)


def label_type(labels: list[str], known: FeatureType | None) -> FeatureType:
    """The type of the classes.

    Args:
        labels: labels as text.
        known: type of the classes of the champion; None: inferred from the labels.
    """
    if known is not None:
        return known
    distinct = set(labels)
    if distinct <= {"true", "false"}:
        return "boolean"
    return "number" if all(_number(label) is not None for label in distinct) else "string"


def typed_labels(labels: list[str], kind: FeatureType) -> tuple[list[Any], int]:
    """The labels converted to a type, None where that fails, and the number of failures."""
    by_text = {label: _typed(label, kind) for label in set(labels)}
    typed = [by_text[label] for label in labels]
    return typed, sum(value is None for value in typed)


def _labels(folder: Path) -> tuple[dict[str, str], int]:
    """The newest label of each id, as text."""
    newest: dict[str, tuple[float, str]] = {}
    unreadable = 0
    for table in _tables(folder, "labels"):
        if table is None or not {ID, LABEL, TIME} <= set(table.column_names):
            unreadable += 1
            continue
        for name, label, moment in zip(*(table[column].to_pylist() for column in (ID, LABEL, TIME)), strict=True):
            if label is not None and moment >= newest.get(name, (float("-inf"), ""))[0]:
                newest[name] = (moment, _text(label))
    return {name: label for name, (_, label) in newest.items()}, unreadable


def _row_tables(
    folder: Path, features: tuple[str, ...], types: Mapping[str, FeatureType]
) -> tuple[list[pa.Table], int]:
    tables = list(_tables(folder, "rows"))
    readable = [table for table in tables if table is not None and {ID, TIME} <= set(table.column_names)]
    columns = features or (_features(max(readable, key=_newest)) if readable else ())
    selected = [table.select([*columns, ID, TIME]) for table in readable if set(columns) <= set(table.column_names)]
    usable = [table for item in selected if (table := _with_types(item, types)) is not None]
    return usable, len(tables) - len(usable)


def _with_types(table: pa.Table, types: Mapping[str, FeatureType]) -> pa.Table | None:
    """The table with the features in these types; None if a value does not fit."""
    for position, name in enumerate(table.column_names):
        wanted = pa.type_for_alias(FEATURE_TYPES[types[name]].arrow) if name in types else table[name].type
        if table[name].type == wanted:
            continue
        column = converted(table[name], wanted)
        if column is None:
            return None
        table = table.set_column(position, name, column)
    return table


def converted(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray | None:
    """The column in another type, None if a value does not fit: 0 and 1 are the only numbers that are booleans."""
    if pa.types.is_null(column.type):
        return column.cast(wanted)
    if pa.types.is_boolean(column.type) and pa.types.is_floating(wanted):
        return column.cast(pa.int8()).cast(wanted)
    if pa.types.is_floating(column.type) and pa.types.is_boolean(wanted):
        known = pc.if_else(pc.is_nan(column), None, column)
        return known.cast(wanted) if set(pc.unique(known).to_pylist()) <= {0.0, 1.0, None} else None
    return None


def _tables(folder: Path, kind: FileKind) -> Iterator[pa.Table | None]:
    """Every file of a kind, by name; None for a file that was deleted in the meantime or is incomplete."""
    for path in sorted(folder.glob(file_pattern(kind))):
        try:
            table = read_table(open_source(LocalFile(path), form="parquet"))
        except UsageError:
            yield None
            continue
        try:
            check_schema(table.schema.metadata)
        except InvalidDocumentError as error:
            raise DataRefusedError(f"spec.data.captured: {path.name}: {error}") from error
        yield table


def _features(table: pa.Table) -> tuple[str, ...]:
    return tuple(name for name in table.column_names if not name.startswith(OWN_PREFIX))


def _newest(table: pa.Table) -> float:
    return max(table[TIME].to_pylist(), default=float("-inf"))


def _since(table: pa.Table, since: float) -> pa.Table:
    return table.filter(pa.array(table[TIME].to_numpy() >= since))


def _with_labels(table: pa.Table, labels: dict[str, str], target: str) -> pa.Table:
    found = [labels.get(name) for name in table[ID].to_pylist()]
    kept = table.append_column(target, pa.array(found, pa.string()))
    return kept.filter(pa.array(np.array([label is not None for label in found], dtype=bool)))


def _text(label: Any) -> str:
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _typed(text: str, kind: FeatureType) -> Any:
    if kind == "number":
        return _number(text)
    return {"true": True, "false": False}.get(text) if kind == "boolean" else text


def _number(text: str) -> int | float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if not np.isfinite(value):
        return None
    return int(value) if value.is_integer() else value
