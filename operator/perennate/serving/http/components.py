"""The objects that live as long as a serving pod."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.serving.capture.feedback import Feedback
from perennate.serving.capture.files import ParquetFolder
from perennate.serving.capture.predictor import Predictor, Randomness
from perennate.serving.capture.recording import FailOpenRecorder
from perennate.serving.capture.rows import Capture
from perennate.serving.metrics import Metrics
from perennate.serving.model.model import ServedModel

if TYPE_CHECKING:
    from perennate.drift import Recorder
    from perennate.serving.config import ServingSettings


@dataclass(frozen=True, eq=False)
class Components:
    """The parts of a serving pod; `load` creates them."""

    model: ServedModel
    recorder: Recorder
    predictor: Predictor
    feedback: Feedback
    capture: Capture | None

    @classmethod
    def load(cls, settings: ServingSettings, metrics: Metrics) -> Components:
        """Verify, load and warm up the version, and start the capture thread if capture is on.

        Raises:
            ArtifactError: the version is corrupt or cannot be served.
        """
        model = ServedModel.load(settings.model_dir, settings.serving.digest, strict=bool(settings.serving.strict))
        metrics.model.labels(model.manifest.model, model.digest).set(1)
        recording = FailOpenRecorder(model, start=time.time(), metrics=metrics)
        capture = _capture(settings, model, metrics)
        predictor = Predictor(
            model,
            recording=recording,
            metrics=metrics,
            randomness=Randomness(token=lambda: secrets.token_hex(5), share=random.random),
            clock=time.time,
            capture=capture,
            sampling_ratio=settings.serving.capture.sampling_ratio if settings.serving.capture else 0.0,
        )
        predictor.warm_up()
        feedback = Feedback(model, recorder=recording.recorder, metrics=metrics, clock=time.time, capture=capture)
        return cls(model, recording.recorder, predictor, feedback, capture)

    def close(self) -> None:
        """Stop the threads and write the queued rows."""
        self.predictor.close()
        if self.capture is not None:
            self.capture.close()


def _capture(settings: ServingSettings, model: ServedModel, metrics: Metrics) -> Capture | None:
    if settings.serving.capture is None:
        return None
    folder = ParquetFolder(
        settings.capture_dir,
        pod=settings.pod,
        manifest=model.manifest,
        retention_seconds=settings.serving.capture.retention_seconds,
    )
    capture = Capture(folder, flush_seconds=settings.serving.capture.flush_seconds, clock=time.time, metrics=metrics)
    capture.start()
    return capture
