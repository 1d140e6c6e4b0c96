"""A version is loaded and asked in a process of its own, as a serving pod does, before it is published."""

from __future__ import annotations

import sys

import pytest

from perennate.api.documents.model_manifest import file_entries
from perennate.artifacts import Prediction
from perennate.trainer.errors import BadConfigurationError, is_transient
from perennate.trainer.version.answers import records_of
from perennate.trainer.version.serving_process import ServingProcessError, check_served
from tests.support.pods.serving import Published, publish_gaps

pytestmark = pytest.mark.runtime

ROWS = 10


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A version whose training rows had missing values."""
    return publish_gaps(tmp_path_factory.mktemp("store"))


def files(version: Published) -> dict[str, bytes]:
    """The files of a version."""
    return dict(version.store.read(version.model, version.digest).files)


def expected(version: Published) -> Prediction:
    """What the model predicts for the first rows."""
    rows = version.rows[:ROWS]
    return Prediction(version.estimator.predict(rows), version.estimator.predict_proba(rows))


def test_a_version_that_answers_as_the_model_passes(version: Published) -> None:
    """With rows in which a value is missing."""
    records = records_of(version.rows[:ROWS])
    assert any(None in record.values() for record in records)
    check_served(version.manifest, files(version), records, expected(version))


def test_other_answers_are_refused(version: Published) -> None:
    answers = expected(version)
    assert answers.probabilities is not None
    wrong = Prediction(answers.values, answers.probabilities[::-1])
    with pytest.raises(
        BadConfigurationError, match="answers of a serving pod for 10 of its training rows would differ"
    ):
        check_served(version.manifest, files(version), records_of(version.rows[:ROWS]), wrong)


def test_a_row_that_the_pod_refuses_is_named(version: Published) -> None:
    """The reason of the refusal is that of a request; it holds no value."""
    records = [{**record, "TEMP": "warm"} for record in records_of(version.rows[:ROWS])]
    with pytest.raises(BadConfigurationError) as caught:
        check_served(version.manifest, files(version), records, expected(version))
    assert "would refuse a request for 10 of its training rows: records[0].TEMP: got a string" in str(caught.value)
    assert "warm" not in str(caught.value)


def test_a_version_that_cannot_be_loaded_is_refused(version: Published) -> None:
    """A pod that serves it would end with exit code 13."""
    broken = {**files(version), "model.skops": b"no model"}
    manifest = version.manifest.model_copy(update={"files": file_entries(broken)})
    with pytest.raises(BadConfigurationError, match="a serving pod could not load the version"):
        check_served(manifest, broken, records_of(version.rows[:ROWS]), expected(version))


def test_a_killed_process_is_an_error_that_may_not_come_back(version: Published) -> None:
    """The node kills a process that needs more memory than it has."""
    killed = (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    records = records_of(version.rows[:ROWS])
    with pytest.raises(ServingProcessError, match=r"ended with exit code -9.*spec\.resources") as caught:
        check_served(version.manifest, files(version), records, expected(version), program=killed)
    assert is_transient(caught.value)
