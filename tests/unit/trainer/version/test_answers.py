"""The answers of a version, which are compared with those of its model before it is published."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from perennate.artifacts import Prediction, load_verified
from perennate.serving.__main__ import PROCESS_DEFAULTS
from perennate.serving.model.model import ServedModel
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.version.answers import check_answers, records_of
from perennate.trainer.version.serving_process import SERVING_THREADS
from tests.support.pods.serving import Published, publish_gaps

ROWS = 10


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A version whose training rows had missing values."""
    return publish_gaps(tmp_path_factory.mktemp("store"))


def expected(version: Published) -> Prediction:
    """What the model predicts for the first rows."""
    rows = version.rows[:ROWS]
    return Prediction(version.estimator.predict(rows), version.estimator.predict_proba(rows))


def test_the_process_has_the_threads_of_a_serving_pod() -> None:
    assert SERVING_THREADS.items() <= PROCESS_DEFAULTS.items()


def test_records_are_what_a_client_sends() -> None:
    """Plain JSON values, null for a missing number or text."""
    rows = pd.DataFrame(
        {"size": [1.5, np.nan], "town": ["Ulm", None], "open": [True, False], "paid": np.array([None, True], object)}
    )
    assert records_of(rows) == [
        {"size": 1.5, "town": "Ulm", "open": True, "paid": None},
        {"size": None, "town": None, "open": False, "paid": True},
    ]


def test_every_row_is_asked_in_the_batch_and_some_alone(version: Published) -> None:
    """An answer that differs only for one row is found."""
    model = ServedModel(load_verified(version.store.read(version.model, version.digest)), version.digest)
    answers = expected(version)
    assert answers.probabilities is not None
    check_answers(model, records_of(version.rows[:ROWS]), answers)
    answers.probabilities[ROWS - 1] += 0.01
    with pytest.raises(BadConfigurationError, match="would differ"):
        check_answers(model, records_of(version.rows[:ROWS]), answers)
