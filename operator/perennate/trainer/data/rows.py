"""The rows of a run: read, checked, and converted to the types of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from perennate.api.durations import parse_duration
from perennate.artifacts import FORMATS, ModelStore
from perennate.trainer.data.captured import label_type, read_captured, typed_labels
from perennate.trainer.data.classes import class_names
from perennate.trainer.data.columns import (
    check_target,
    check_types,
    collapsed_integers,
    feature_column,
    infer_task,
)
from perennate.trainer.data.holdout_columns import row_groups, row_times
from perennate.trainer.data.selection import Available, Columns, resolve_columns
from perennate.trainer.data.sources import SourceRows, read_source
from perennate.trainer.errors import BadConfigurationError, DataRefusedError
from perennate.trainer.progress import report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennate.api.documents.model_manifest import ModelManifest
    from perennate.api.documents.run_request import RunRequest
    from perennate.api.documents.run_spec import Trainer
    from perennate.trainer.paths import RunPaths
    from perennate.trainer.tasks import Task

CAPTURED_TARGET: Final = "label"
"""Name of the column of labels of captured rows without `spec.data.target`."""


@dataclass(frozen=True)
class Rows:
    """The checked rows of a run."""

    table: pa.Table
    """Features in the model's order, then the target, then columns that only the champion needs."""
    columns: Columns
    task: Task
    times: npt.NDArray[Any] | None
    """The time of each row, (rows,); None unless the split is by time."""
    groups: npt.NDArray[np.int64] | None
    """The number of the group of each row, (rows,); None unless the split is by group."""
    collapsed: tuple[str, ...] = ()
    """Features with integers that float64 cannot tell apart."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the target as text; empty for a regression."""
        if self.task == "regression":
            return ()
        return class_names(pc.unique(self.table[self.columns.target]).to_pylist())


def load_rows(
    request: RunRequest,
    paths: RunPaths,
    *,
    now: float,
    champion: ModelManifest | None,
    served: ModelManifest | None = None,
) -> Rows:
    """The rows of a request.

    Args:
        request: the run request.
        paths: roots of data and store.
        now: seconds since the epoch; the end of the window of captured rows.
        champion: manifest of the champion; its features are kept for a comparison on the same rows.
        served: manifest of the version whose pods captured the rows; captured rows have its types.

    Raises:
        DataRefusedError: the rows are missing or not suitable for training.
        BadConfigurationError: the request has neither a file nor captured rows, or no target.
    """
    data = request.spec.data
    found, target = _read(request, paths, now=now, champion=champion, served=served)
    source, is_captured = found.table, data.captured is not None
    available = Available(tuple(source.column_names), found.index, captured=is_captured)
    columns = resolve_columns(data, available, target=target)
    check_types(columns.features, dict(zip(source.schema.names, source.schema.types, strict=True)))
    if is_captured:
        source = _with_typed_labels(source, target, request.spec.trainer, served or champion)
    task = task_of(request.spec.trainer, source[target])
    is_csv = data.train is not None and data.train.format == "csv"
    collapsed = tuple(name for name in columns.features if collapsed_integers(source[name]))
    arrays = {name: feature_column(name, source[name]) for name in columns.features}
    arrays[target] = check_target(target, source[target], task, is_csv=is_csv)
    champion_only = [name for name in _features(champion) if name not in arrays and name in source.column_names]
    arrays |= {name: feature_column(name, source[name]) for name in champion_only}
    times, groups = row_times(source, data.holdout), row_groups(source, data.holdout)
    return Rows(pa.table(arrays), columns, task, times, groups, collapsed)


def task_of(trainer: Trainer, target: pa.ChunkedArray) -> Task:
    """The task: that of the estimator; for a container, the one that suits the target."""
    if trainer.estimator is None:
        return infer_task(target)
    # The train stage refuses a class that no format lists; until then the target decides.
    return FORMATS.task(trainer.estimator.class_) or infer_task(target)


def _read(
    request: RunRequest,
    paths: RunPaths,
    *,
    now: float,
    champion: ModelManifest | None,
    served: ModelManifest | None,
) -> tuple[SourceRows, str]:
    data = request.spec.data
    if data.captured is not None:
        return _read_captured(request, paths, now=now, served=served)
    if data.train is None or data.target is None:
        raise BadConfigurationError("spec.data: must have train and target, or captured")
    named = {
        data.target,
        data.holdout.time_column or "",
        data.holdout.group_column or "",
        *data.features,
        *_features(champion),
    }
    found = read_source(data.train, paths, request.namespace, named=named)
    report("prepare", step="read", rows=found.table.num_rows, columns=found.table.num_columns, uri=data.train.uri)
    return found, data.target


def _read_captured(
    request: RunRequest, paths: RunPaths, *, now: float, served: ModelManifest | None
) -> tuple[SourceRows, str]:
    data, captured = request.spec.data, request.captured
    if data.captured is None or captured is None:
        raise BadConfigurationError("spec.data.captured.modelDeployment: its model line was not resolved")
    target = data.target or CAPTURED_TARGET
    folder = ModelStore(paths.store, request.namespace).captured_dir(captured.model, captured.model_deployment)
    since = now - parse_duration(data.captured.window)
    types = {} if served is None else {feature.name: feature.type for feature in served.features}
    found = read_captured(folder, data.captured, since=since, target=target, features=data.features, types=types)
    report(
        "prepare",
        step="read",
        rows=found.rows,
        labelled=found.table.num_rows,
        skipped_files=found.skipped_files,
        captured=captured.model_deployment,
    )
    return SourceRows(found.table, ()), target


def _with_typed_labels(table: pa.Table, target: str, trainer: Trainer, served: ModelManifest | None) -> pa.Table:
    """The table with labels, which arrive as text, converted to the type of the target."""
    texts: list[str] = table[target].to_pylist()
    regressor = trainer.estimator is not None and FORMATS.task(trainer.estimator.class_) == "regression"
    known = served.class_type if served is not None and served.task == "classification" else None
    kind = "number" if regressor else label_type(texts, known)
    labels, unfit = typed_labels(texts, kind)
    if unfit:
        raise DataRefusedError(
            f"spec.data.captured: {unfit} of {len(texts)} labels are not of the type {kind}; "
            "the model predicts that type: send labels of that type to /feedback"
        )
    return table.set_column(table.column_names.index(target), target, pa.chunked_array([_array(labels)]))


def _array(labels: Sequence[Any]) -> pa.Array:
    """Labels as one type: integers only if all are integers."""
    if any(isinstance(label, float) for label in labels):
        return pa.array([float(label) for label in labels], pa.float64())
    return pa.array(labels)


def _features(champion: ModelManifest | None) -> tuple[str, ...]:
    return () if champion is None else tuple(feature.name for feature in champion.features)
