"""Everything that lives as long as a serving pod, put together once."""

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
    """What serves, made from the environment by `load`."""

    model: ServedModel
    recorder: Recorder
    predictor: Predictor
    feedback: Feedback
    capture: Capture | None

    @classmethod
    def load(cls, settings: ServingSettings, metrics: Metrics) -> Components:
        """Verify and load the version, warm it up, and start to capture if asked to.

        Raises:
            ArtifactError: a byte of the version is wrong, or it cannot be served.
        """
        model = ServedModel.load(settings.model_dir, settings.serving.digest)
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
        """End the threads and write what waits to be written."""
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
