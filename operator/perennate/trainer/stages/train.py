"""The train stage: rehearse, then fit the estimator on the training rows.

It sees neither the request, nor the store, nor the record of the run with the hold-out rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.documents.stage_result import StageResult
from perennate.trainer.data.frames import frame, labels, read_rows
from perennate.trainer.environment import write_environment
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.model.fitting import fit_new, format_of, save
from perennate.trainer.progress import report
from perennate.trainer.rehearsal.rehearse import Rehearsal
from perennate.trainer.rehearsal.unseen import read_unseen
from perennate.trainer.request import read_training_record
from perennate.trainer.run_warnings.files import write_warnings
from perennate.trainer.run_warnings.fitting import convergence_warnings

if TYPE_CHECKING:
    from perennate.trainer.paths import RunPaths


def train(paths: RunPaths) -> StageResult:
    """Write the model file into the output folder.

    Raises:
        BadConfigurationError: the estimator cannot be built, fitted, saved or served.
    """
    record = read_training_record(paths.training_record)
    if record.spec.trainer.estimator is None:
        raise BadConfigurationError(
            "spec.trainer.container: this stage runs estimators; the container runs in its place"
        )
    spec = record.spec.trainer.estimator
    table = read_rows(paths.train_rows, record.train_digest)
    Rehearsal(record, spec, table, read_unseen(paths.unseen)).run()
    report("train", step="fit", rows=table.num_rows, estimator=spec.class_)
    with convergence_warnings(spec.class_) as warnings:
        estimator = fit_new(spec, frame(table, record.features), labels(table, record.target), seed=record.seed)
    model_format = format_of(spec.class_)
    content = save(estimator, model_format)
    (paths.output / model_format.file_name).write_bytes(content)
    write_warnings(paths.training_warnings, warnings)
    write_environment(paths)
    report("train", step="saved", bytes=len(content))
    return StageResult(stage="train", warnings=tuple(warnings) or None)
