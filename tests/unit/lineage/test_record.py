"""Fingerprints and digests of a run: equal if and only if the inputs that determine the result are equal."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.documents.run_record import RunRecord
from perennate.api.documents.run_request import ChampionRequest
from perennate.api.documents.run_spec import RecordedSpec
from perennate.api.v1alpha1.training_spec import TrainingJobSpec
from perennate.builders.training import run_spec
from perennate.lineage import (
    data_digest,
    environment_digest,
    fingerprint,
    library_versions,
    parameters_digest,
    provenance,
)
from tests.support.pods.runs import make_spec

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def make_record(spec: dict[str, Any] | None = None, **changes: Any) -> RunRecord:
    """A record of a run."""
    parsed = RecordedSpec.of(run_spec(TrainingJobSpec.model_validate(spec or make_spec())))
    fields: dict[str, Any] = {
        "model": parsed.model.name,
        "task": "classification",
        "spec": parsed,
        "target": "target",
        "features": ("a", "b"),
        "train_digest": A,
        "holdout_digest": B,
        "train_rows": 30,
        "holdout_rows": 10,
        "seed": parsed.seed,
        "parameters_digest": parameters_digest(parsed, target="target", features=("a", "b")),
        "environment_digest": environment_digest({"python": "3.11.7"}),
    }
    return RunRecord(**{**fields, **changes})


INDIFFERENT: dict[str, dict[str, Any]] = {
    "resources": {"resources": {"requests": {"cpu": "4"}}},
    "suspend": {"suspend": True},
    "backoff limit": {"backoffLimit": 9},
    "deadline": {"activeDeadlineSeconds": 60},
    "time to live": {"ttlSecondsAfterFinished": 60},
}
DECIDING: dict[str, dict[str, Any]] = {
    "model": {"model": {"name": "other"}},
    "seed": {"seed": 8},
    "estimator": {"trainer": {"estimator": {"class": "sklearn.svm.SVC"}}},
    "data": {"data": {"train": {"uri": "pvc://claim/other.csv"}, "target": "target"}},
    "hold-out": {
        "data": {"train": {"uri": "pvc://claim/a.csv"}, "target": "target", "holdout": {"fraction": 0.5}},
    },
    "gates": {"evaluation": {"gates": [{"metric": "auc", "min": 0.5}]}},
}


@pytest.mark.parametrize("case", INDIFFERENT)
def test_fields_without_effect_on_the_result_do_not_change_the_fingerprint(case: str) -> None:
    """Scheduling fields, such as resources, suspend and deadlines, are not part of the fingerprint."""
    assert fingerprint(make_record(make_spec(**INDIFFERENT[case]))) == fingerprint(make_record())


@pytest.mark.parametrize("case", DECIDING)
def test_fields_that_determine_the_result_change_the_fingerprint(case: str) -> None:
    assert fingerprint(make_record(make_spec(**DECIDING[case]))) != fingerprint(make_record())


@pytest.mark.parametrize(
    "change",
    [
        {"train_digest": B},
        {"holdout_digest": A},
        {"features": ("b", "a")},
        {"environment_digest": B},
        {"champion": ChampionRequest(model="m", digest=A)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_rows_columns_environment_and_champion_change_the_fingerprint(change: dict[str, Any]) -> None:
    """The digests of the rows, the order of the columns, the libraries and the champion are part of it."""
    assert fingerprint(make_record(**change)) != fingerprint(make_record())


def test_parameters_digest_covers_target_and_order_of_features() -> None:
    """Models that differ in target or feature order have different parameters."""
    spec = run_spec(TrainingJobSpec.model_validate(make_spec()))
    digests = {
        parameters_digest(spec, target="t", features=("a", "b")),
        parameters_digest(spec, target="t", features=("b", "a")),
        parameters_digest(spec, target="u", features=("a", "b")),
    }
    assert len(digests) == 3


def test_data_digest_depends_on_the_order_of_its_parts() -> None:
    """Swapping training and hold-out rows changes the digest."""
    assert data_digest(A, B) != data_digest(B, A)


def test_environment_digest_does_not_depend_on_order() -> None:
    assert environment_digest({"a": "1", "b": "2"}) == environment_digest({"b": "2", "a": "1"})


def test_library_versions_cover_python_and_the_model_libraries() -> None:
    """Python, scikit-learn, skops and numpy are recorded; serving uses them to reject a model of another version."""
    versions = library_versions()
    assert {"python", "scikit-learn", "skops", "numpy"} <= set(versions)
    assert all(versions.values())


def test_provenance_is_taken_from_the_run_record() -> None:
    """The provenance in the status has the digests, row counts and seed of the run record."""
    record = make_record()
    shown = provenance(record)
    assert (shown.data_digest, shown.parameters_digest) == (data_digest(A, B), record.parameters_digest)
    assert (shown.rows, shown.holdout_rows, shown.seed) == (30, 10, 7)
