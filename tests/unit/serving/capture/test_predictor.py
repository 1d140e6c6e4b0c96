"""Which requests are captured, and in which thread they are predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from perennate.serving.capture.predictor import Predictor, Randomness
from perennate.serving.capture.recording import FailOpenRecorder
from perennate.serving.capture.rows import Capture, CapturedLabel, CapturedRows
from perennate.serving.metrics import Metrics
from perennate.serving.model.model import ServedModel
from tests.support.pods.serving import Published
from tests.support.pods.serving_pod import SIGNER

NOW = 1_767_225_600.0


class Rows:
    """A sink that keeps captured rows in memory."""

    def __init__(self) -> None:
        self.kept: list[CapturedRows] = []

    def write_rows(self, rows: Sequence[CapturedRows], time: float) -> None:
        """Keep the rows."""
        assert time == NOW
        self.kept += rows

    def write_labels(self, labels: Sequence[CapturedLabel], time: float) -> None:
        """Fail: no labels are expected."""
        raise AssertionError(f"{len(labels)} labels at {time}")

    def delete_expired(self, time: float) -> None:
        """Delete nothing."""
        assert time == NOW


@pytest.mark.parametrize(("ratio", "want"), [(0.0, []), (0.3, [0, 2]), (1.0, [0, 1, 2, 3])])
async def test_requests_are_sampled_by_the_sampling_ratio(
    ratio: float, want: list[int], models: Mapping[str, ServedModel], published: Mapping[str, Published]
) -> None:
    """All rows of a sampled request are captured, with the ids in the response."""
    model, sink, metrics = models["rain"], Rows(), Metrics()
    shares = iter([0.0, 0.3, 0.29, 0.999])
    capture = Capture(sink, flush_seconds=3600, clock=lambda: NOW, metrics=metrics)
    predictions = Predictor(
        model,
        recording=FailOpenRecorder(model, start=NOW, metrics=metrics),
        metrics=metrics,
        randomness=Randomness(token=lambda: "0123456789", share=lambda: next(shares)),
        clock=lambda: NOW,
        signer=SIGNER,
        capture=capture,
        sampling_ratio=ratio,
    )
    batch = model.schema.read(published["rain"].records(5))
    answers = [await predictions.answer(batch) for _ in range(4)]
    capture.start()
    assert capture.close()
    predictions.close()
    assert [rows.ids for rows in sink.kept] == [answers[place].ids for place in want]
    assert all(rows.batch is batch and rows.time == NOW for rows in sink.kept)


async def test_a_slow_model_predicts_in_a_thread(
    models: Mapping[str, ServedModel], published: Mapping[str, Published]
) -> None:
    """The event loop stays free while the speed of the model is unknown, and if the model is slow."""
    model, metrics = models["forest"], Metrics()
    predictions = Predictor(
        model,
        recording=FailOpenRecorder(model, start=NOW, metrics=metrics),
        metrics=metrics,
        randomness=Randomness(token=lambda: "0123456789", share=lambda: 0.0),
        clock=lambda: NOW,
        signer=SIGNER,
    )
    batch = model.schema.read(published["forest"].records(5))
    assert len((await predictions.answer(batch)).ids) == 5
    assert [thread.name for thread in predictions.lanes._pool._threads] == ["predict_0"]
    predictions.close()
