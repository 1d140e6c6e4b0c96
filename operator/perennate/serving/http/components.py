"""The objects that live as long as a serving pod."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.api.wellknown import FEEDBACK_FILE, KEY_FILE
from perennate.artifacts import ArtifactError, ArtifactNotFoundError
from perennate.artifacts.versions.keys import read_key
from perennate.serving.capture.feedback import Feedback
from perennate.serving.capture.files import ParquetFolder
from perennate.serving.capture.predictor import Predictor, Randomness
from perennate.serving.capture.received_labels import LONGEST_DELAY_SECONDS
from perennate.serving.capture.recording import FailOpenRecorder
from perennate.serving.capture.rows import Capture
from perennate.serving.capture.signing import Signer
from perennate.serving.capture.token import FeedbackToken
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
    token: FeedbackToken | None

    @classmethod
    def load(cls, settings: ServingSettings, metrics: Metrics) -> Components:
        """Verify, load and warm up the version, and start the capture thread if capture is on.

        Raises:
            ArtifactError: the version is corrupt or cannot be served, or there is no key of the model line.
            ConfigError: there is no token of `/feedback` although the configuration wants one.
        """
        token = _token(settings)
        signer = _signer(settings)
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
            signer=signer,
            capture=capture,
            sampling_ratio=settings.serving.capture.sampling_ratio if settings.serving.capture else 0.0,
        )
        predictor.warm_up()
        feedback = Feedback(
            model,
            recorder=recording.recorder,
            metrics=metrics,
            clock=time.time,
            signer=signer,
            capture=capture,
            longest_delay=_longest_delay(settings),
        )
        return cls(model, recording.recorder, predictor, feedback, capture, token)

    def close(self) -> None:
        """Stop the threads and write the queued rows."""
        self.predictor.close()
        if self.capture is not None:
            self.capture.close()


def _signer(settings: ServingSettings) -> Signer:
    try:
        return Signer(read_key(settings.key_dir / KEY_FILE))
    except ArtifactNotFoundError as error:
        # The version is sound: this must not look like a refusal of it.
        raise ArtifactError(f"{error}; the container fetch writes it") from error


def _token(settings: ServingSettings) -> FeedbackToken | None:
    config = settings.serving.feedback
    if config is None:
        return None
    token = FeedbackToken(settings.feedback_dir / FEEDBACK_FILE, config)
    token.check_file()
    return token


def _longest_delay(settings: ServingSettings) -> float:
    """Labels are accepted as long as their rows may be captured, but at least for `LONGEST_DELAY_SECONDS`."""
    capture = settings.serving.capture
    return max(LONGEST_DELAY_SECONDS, capture.retention_seconds if capture is not None else 0.0)


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
