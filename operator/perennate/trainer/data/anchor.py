"""The anchor of a run on captured rows: trusted rows on which the new version may not lose."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from perennate.api.documents.captured_rows import FOLDER
from perennate.api.wellknown import STORE_CLAIM
from perennate.trainer.data.captured import converted
from perennate.trainer.data.classes import class_names
from perennate.trainer.data.columns import check_target, feature_column
from perennate.trainer.data.sources import read_source
from perennate.trainer.errors import BadConfigurationError, DataRefusedError
from perennate.trainer.tasks import metrics_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennate.api.documents.model_manifest import ModelManifest
    from perennate.api.documents.run_request import RunRequest
    from perennate.api.documents.run_spec import Anchor
    from perennate.trainer.data.rows import Rows
    from perennate.trainer.paths import RunPaths

FIELD: Final = "spec.data.captured.anchor"


def anchor_of(request: RunRequest) -> Anchor | None:
    """The anchor in a request, if there is one."""
    captured = request.spec.data.captured
    return None if captured is None else captured.anchor


def load_anchor(request: RunRequest, paths: RunPaths, rows: Rows, *, served: ModelManifest | None) -> pa.Table | None:
    """The rows of the anchor in the types of the captured rows; None without an anchor.

    Args:
        request: the run request.
        paths: roots of data and store.
        rows: the captured rows.
        served: manifest of the version that the new one is compared with; its features are kept.

    Raises:
        DataRefusedError: the file cannot be read, lacks a column, or has another type or class than the captured rows.
        BadConfigurationError: the metric is not one of the task.
    """
    anchor = anchor_of(request)
    if anchor is None:
        return None
    _check_metric(anchor, rows)
    _check_source(anchor)
    target, features = rows.columns.target, rows.columns.features
    others = () if served is None else tuple(feature.name for feature in served.features)
    found = read_source(
        anchor, paths, request.namespace, named={target, *features, *others}, field=f"{FIELD}.uri"
    ).table
    missing = [name for name in (*features, target) if name not in found.column_names]
    if missing:
        raise DataRefusedError(
            f"{FIELD}.uri: the file lacks the column {missing[0]!r}; it must have every feature of the model and the "
            f"target {target!r}"
        )
    own = {name: _feature(name, found[name], rows.table[name].type) for name in features}
    labels = _checked(target, lambda: check_target(target, found[target], rows.task, is_csv=anchor.format == "csv"))
    _check_classes(labels, rows)
    extra = [name for name in others if name not in own and name != target and name in found.column_names]
    return pa.table({**own, target: labels, **{name: _checked(name, _column(name, found)) for name in extra}})


def _check_metric(anchor: Anchor, rows: Rows) -> None:
    allowed = metrics_of(rows.task)
    if anchor.metric not in allowed:
        raise BadConfigurationError(
            f"{FIELD}.metric: {anchor.metric.value} is not a metric of {rows.task}; allowed are {', '.join(allowed)}"
        )


def _check_source(anchor: Anchor) -> None:
    """Refuse captured rows as their own proof: clients decide about them."""
    in_store = anchor.uri.startswith(("file:///", f"pvc://{STORE_CLAIM}/"))
    if in_store and FOLDER in PurePosixPath(anchor.uri.partition("://")[2]).parts:
        raise DataRefusedError(
            f"{FIELD}.uri: {anchor.uri} holds rows and labels that clients have sent; name rows that you trust"
        )


def _feature(name: str, column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """A feature in the type that the captured rows have."""
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), wanted)])
    own = _checked(name, lambda: feature_column(name, column))
    fitting = own if own.type == wanted else converted(own, wanted)
    if fitting is None:
        raise DataRefusedError(
            f"{FIELD}.uri: column {name!r} has the type {own.type}, and {wanted} in the captured rows; convert it"
        )
    return fitting


def _column(name: str, table: pa.Table) -> Callable[[], pa.ChunkedArray]:
    return lambda: feature_column(name, table[name])


def _checked(name: str, read: Callable[[], pa.ChunkedArray]) -> pa.ChunkedArray:
    """The column, with the field of the anchor in errors."""
    try:
        return read()
    except DataRefusedError as error:
        raise DataRefusedError(f"{FIELD}.uri: column {name!r} cannot be used: {error}") from error


def _check_classes(labels: pa.ChunkedArray, rows: Rows) -> None:
    """Check that the model can predict every class of the anchor."""
    if rows.task == "regression":
        return
    unknown = sorted(set(class_names(pc.unique(labels).to_pylist())) - set(rows.classes))
    if unknown:
        raise DataRefusedError(
            f"{FIELD}.uri: the target has {len(unknown)} classes that no captured label has; remove their rows, or "
            "widen spec.data.captured.window"
        )
