"""The output of the earlier stages, as the publish stage reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennate.api.documents.run_spec import RecordedSpec
from perennate.trainer.data.frames import read_rows
from perennate.trainer.environment import read_environment
from perennate.trainer.errors import BadConfigurationError, refusing
from perennate.trainer.model.fitting import words_of
from perennate.trainer.request import read_record
from perennate.trainer.run_warnings.files import read_warnings
from perennate.trainer.version.first_load import check_loads
from perennate.trainer.version.model_file import read_model

if TYPE_CHECKING:
    import pyarrow as pa

    from perennate.api.documents.run_record import RunRecord
    from perennate.api.documents.run_request import RunRequest
    from perennate.api.documents.stage_result import RunWarning
    from perennate.artifacts import ModelFormat
    from perennate.trainer.paths import RunPaths


@dataclass(frozen=True)
class Trained:
    """Output of the earlier stages, verified."""

    record: RunRecord
    format: ModelFormat
    content: bytes
    """The model file."""
    estimator: Any
    environment: dict[str, str]
    """Versions of what trained the model, by name."""
    train: pa.Table
    holdout: pa.Table
    anchor: pa.Table | None = None
    """Trusted rows of a run on captured rows."""
    warnings: tuple[RunWarning, ...] = ()
    """Of the earlier stages."""

    @property
    def known(self) -> frozenset[str]:
        """Words of the spec and the schema, which messages may repeat."""
        estimator = self.record.spec.trainer.estimator
        return frozenset() if estimator is None else frozenset(words_of(estimator))


def read_trained(request: RunRequest, paths: RunPaths) -> Trained:
    """Read record, model and rows that the earlier stages wrote.

    The train stage may be a user's container. It can write to no folder but that of the model, so this is the only one
    whose content is not taken on trust.

    Raises:
        BadConfigurationError: the model is missing or refused, or other files are not those of the prepare stage.
    """
    record = read_record(paths.record)
    if not _is_of(record, request):
        raise BadConfigurationError(f"{paths.record} belongs to another run; only the prepare stage may write it")
    model_format, content = read_model(paths.output)
    with refusing("spec.trainer"):
        model_format.audit(content)
        if record.spec.trainer.container is not None:
            check_loads(paths, record)
        estimator = model_format.load(content)
    return Trained(
        record=record,
        format=model_format,
        content=content,
        estimator=estimator,
        environment=read_environment(paths, model_format.versions(content)),
        train=read_rows(paths.train_rows, record.train_digest),
        holdout=read_rows(paths.holdout_rows, record.holdout_digest),
        anchor=_read_anchor(record, paths),
        warnings=_read_warnings(record, paths),
    )


def _read_anchor(record: RunRecord, paths: RunPaths) -> pa.Table | None:
    captured = record.spec.data.captured
    if captured is None or captured.anchor is None:
        return None
    if record.anchor_digest is None:
        raise BadConfigurationError(f"{paths.record} lacks the anchor; only the prepare stage may write it")
    return read_rows(paths.anchor_rows, record.anchor_digest)


def _is_of(record: RunRecord, request: RunRequest) -> bool:
    """Whether a record belongs to the run of a request."""
    served = None if request.captured is None else request.captured.version
    return (record.model, record.spec, record.champion, record.served) == (
        request.spec.model.name,
        RecordedSpec.of(request.spec),
        request.champion,
        served,
    )


def _read_warnings(record: RunRecord, paths: RunPaths) -> tuple[RunWarning, ...]:
    """The warnings of the earlier stages; a user's container has none."""
    data = read_warnings(paths.data_warnings)
    return data if record.spec.trainer.estimator is None else (*data, *read_warnings(paths.training_warnings))
