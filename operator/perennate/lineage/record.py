"""Digests of the inputs of a run. Pure: equal arguments give equal digests on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.documents.canonical import digest_document
from perennate.api.documents.stage_result import Provenance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perennate.api.documents.run_record import RunRecord
    from perennate.api.documents.run_spec import RunSpec


def parameters_digest(spec: RunSpec, *, target: str, features: Sequence[str]) -> str:
    """Digest of trainer, hold-out, features, target and evaluation.

    Args:
        spec: what the run does.
        target: column of the label.
        features: columns of the model, in its order.
    """
    return digest_document(
        {
            "trainer": spec.trainer.to_document(),
            "holdout": spec.data.holdout.to_document(),
            "evaluation": spec.evaluation.to_document(),
            "target": target,
            "features": list(features),
        }
    )


def environment_digest(versions: Mapping[str, str]) -> str:
    """Digest of library versions by name."""
    return digest_document(dict(versions))


def data_digest(train_digest: str, holdout_digest: str) -> str:
    """Digest of the training rows and the hold-out rows."""
    return digest_document({"train": train_digest, "holdout": holdout_digest})


def provenance(record: RunRecord, environment: Mapping[str, str] | None = None) -> Provenance:
    """Digests and sizes of the record, for the status.

    Args:
        record: the record of the run.
        environment: versions of what trained the model, by name; before training, the record's digest is used.
    """
    return Provenance(
        data_digest=data_digest(record.train_digest, record.holdout_digest),
        parameters_digest=record.parameters_digest,
        environment_digest=record.environment_digest if environment is None else environment_digest(environment),
        seed=record.seed,
        rows=record.train_rows,
        holdout_rows=record.holdout_rows,
    )


def fingerprint(record: RunRecord) -> str:
    """Digest of the record. Runs with equal fingerprints do the same on the same rows."""
    return digest_document(record.to_document())
