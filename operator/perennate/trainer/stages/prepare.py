"""The prepare stage: load, check and split the rows, and write the record of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from perennate.api.documents.canonical import digest_bytes
from perennate.api.documents.run_record import RunRecord
from perennate.api.documents.run_spec import RecordedSpec
from perennate.api.documents.stage_result import StageResult
from perennate.api.documents.training_record import TrainingRecord
from perennate.artifacts import ArtifactError, ModelStore
from perennate.lineage import (
    environment_digest,
    fingerprint,
    library_versions,
    parameters_digest,
    provenance,
)
from perennate.trainer.data.anchor import load_anchor
from perennate.trainer.data.classes import check_positive_class
from perennate.trainer.data.names import problem_of_names
from perennate.trainer.data.rows import Rows, load_rows
from perennate.trainer.data.split import check_classes, split_by_group, split_by_time, split_random
from perennate.trainer.errors import DataRefusedError
from perennate.trainer.model.class_weight import check_class_weight
from perennate.trainer.progress import report
from perennate.trainer.rehearsal.unseen import find_unseen, write_unseen
from perennate.trainer.request import write_record
from perennate.trainer.run_warnings.data import data_warnings, positive_class_warning
from perennate.trainer.run_warnings.files import write_warnings
from perennate.trainer.stages.spec_checks import check_spec
from perennate.trainer.tasks import check_metrics

if TYPE_CHECKING:
    from pathlib import Path

    from perennate.api.documents.model_manifest import ModelManifest
    from perennate.api.documents.run_request import ChampionRequest, RunRequest
    from perennate.api.documents.run_spec import Holdout
    from perennate.api.documents.stage_result import RunWarning
    from perennate.trainer.paths import RunPaths


def prepare(request: RunRequest, paths: RunPaths, *, now: float) -> StageResult:
    """Write training rows and hold-out rows into different folders, each with a record.

    Args:
        request: run request of the operator.
        paths: paths of the data, the store and the run.
        now: seconds since 1970; end of the window of captured rows.

    Raises:
        DataRefusedError: the data are missing or unsuitable.
        BadConfigurationError: the spec cannot work with any data.
    """
    check_spec(request.spec)
    champion, served = _manifest(request, paths, request.champion), _manifest(request, paths, served_version(request))
    rows = load_rows(request, paths, now=now, champion=champion, served=served)
    _check_names(rows.columns.features)
    check_metrics(request.spec.evaluation, rows.task)
    if request.spec.trainer.estimator is not None:
        check_class_weight(request.spec.trainer.estimator, rows.classes)
    check_positive_class(request.spec.data.positive_class, rows.classes, request.spec.evaluation, rows.task)
    anchor = load_anchor(request, paths, rows, served=champion or served)
    report("prepare", step="checked", rows=rows.table.num_rows, features=len(rows.columns.features), task=rows.task)
    train, holdout = split(rows, request.spec.data.holdout, request.spec.seed)
    record = make_record(
        request,
        rows,
        train_digest=_write(paths.train_rows, train.select([*rows.columns.features, rows.columns.target])),
        holdout_digest=_write(paths.holdout_rows, holdout),
        anchor_digest=None if anchor is None else _write(paths.anchor_rows, anchor),
        sizes=(train.num_rows, holdout.num_rows),
    )
    # A user's container does not rehearse, and must see nothing of the hold-out rows.
    if request.spec.trainer.estimator is not None:
        write_unseen(paths.unseen, find_unseen(train, holdout, record.features))
    write_record(paths.training_record, make_training_record(request, record))
    write_record(paths.record, record)
    report("prepare", step="split", train_rows=record.train_rows, holdout_rows=record.holdout_rows)
    warnings = find_warnings(request, rows, train, holdout)
    write_warnings(paths.data_warnings, warnings)
    return StageResult(
        stage="prepare", fingerprint=fingerprint(record), provenance=provenance(record), warnings=warnings or None
    )


def find_warnings(request: RunRequest, rows: Rows, train: pa.Table, holdout: pa.Table) -> tuple[RunWarning, ...]:
    """What the user should look at in the rows, although the run goes on."""
    found = data_warnings(train, holdout, rows.columns, rows.task, collapsed=rows.collapsed)
    warnings = (*positive_class_warning(request.spec.data.positive_class, rows.classes), *found)
    for warning in warnings:
        report("prepare", step="warning", reason=warning.reason, message=warning.message)
    return warnings


def split(rows: Rows, holdout: Holdout, seed: int) -> tuple[pa.Table, pa.Table]:
    """Split the rows into training rows and hold-out rows.

    Raises:
        DataRefusedError: a class is missing in one of the parts, or all rows have one time or one group.
    """
    target = rows.table[rows.columns.target].to_numpy()
    classes = target if rows.task == "classification" else None
    if rows.times is not None:
        train, held = split_by_time(rows.times, holdout.fraction)
    elif rows.groups is not None:
        train, held = split_by_group(rows.groups, holdout.fraction, seed)
    else:
        train, held = split_random(rows.table.num_rows, holdout.fraction, seed, classes=classes)
    if classes is not None:
        check_classes(classes[train], classes[held])
    return rows.table.take(pa.array(train)), rows.table.take(pa.array(held))


def make_record(
    request: RunRequest,
    rows: Rows,
    *,
    train_digest: str,
    holdout_digest: str,
    sizes: tuple[int, int],
    anchor_digest: str | None = None,
) -> RunRecord:
    """The record of the run: everything that can change its result, and nothing else.

    Args:
        request: run request of the operator.
        rows: rows of the run.
        train_digest: digest of `train.parquet`.
        holdout_digest: digest of `holdout.parquet`.
        sizes: numbers of training rows and of hold-out rows.
        anchor_digest: digest of `anchor.parquet`, if there is one.
    """
    spec = RecordedSpec.of(request.spec)
    return RunRecord(
        model=spec.model.name,
        task=rows.task,
        spec=spec,
        target=rows.columns.target,
        features=rows.columns.features,
        train_digest=train_digest,
        holdout_digest=holdout_digest,
        train_rows=sizes[0],
        holdout_rows=sizes[1],
        seed=spec.seed,
        parameters_digest=parameters_digest(spec, target=rows.columns.target, features=rows.columns.features),
        environment_digest=environment_digest(library_versions()),
        champion=request.champion,
        served=served_version(request),
        anchor_digest=anchor_digest,
    )


def make_training_record(request: RunRequest, record: RunRecord) -> TrainingRecord:
    """The part of the record that the train stage may know: nothing about the hold-out rows.

    Args:
        request: run request of the operator.
        record: record of the run.
    """
    return TrainingRecord(
        model=record.model,
        task=record.task,
        spec=request.spec,
        target=record.target,
        features=record.features,
        train_digest=record.train_digest,
        train_rows=record.train_rows,
        seed=record.seed,
    )


def _check_names(features: tuple[str, ...]) -> None:
    problem = problem_of_names(features)
    if problem is not None:
        raise DataRefusedError(f"spec.data: {problem} with spec.data.exclude")


def served_version(request: RunRequest) -> ChampionRequest | None:
    """The version whose pods captured the rows, if any."""
    return None if request.captured is None else request.captured.version


def _manifest(request: RunRequest, paths: RunPaths, version: ChampionRequest | None) -> ModelManifest | None:
    """Manifest of a version. None if there is none or it cannot be read; publish handles that."""
    if version is None:
        return None
    try:
        return ModelStore(paths.store, request.namespace).read_manifest(version.model, version.digest)
    except ArtifactError:
        return None


def _write(path: Path, table: pa.Table) -> str:
    """Write a parquet file whose bytes depend only on the rows, and return its digest."""
    # One chunk, because chunk borders depend on how the rows were read, and pages end at them.
    parquet.write_table(table.combine_chunks(), path, compression="snappy", version="2.6")
    return digest_bytes(path.read_bytes())
