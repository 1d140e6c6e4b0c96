"""The configuration of a serving pod, which the operator writes and the pod reads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from perennate.api.documents.document import Document
from perennate.api.meta import Digest, Model


class CaptureConfig(Model):
    """Capture of rows for retraining."""

    sampling_ratio: float = Field(ge=0, le=1, description="Fraction of the requests whose rows are captured.")
    flush_seconds: float = Field(gt=0, description="Seconds between two files.")
    retention_seconds: float = Field(gt=0, description="Age in seconds at which a file is deleted.")


class ServingConfig(Document):
    """Value of the environment variable PERENNATE_SERVING."""

    schema_: Literal["perennate.dev/serving/v1"] = Field(default="perennate.dev/serving/v1", alias="schema")
    namespace: str = Field(description="Namespace of the ModelDeployment.")
    model_deployment: str = Field(description="Name of the ModelDeployment.")
    model: str = Field(description="Model line.")
    digest: Digest = Field(description="Digest of the version.")
    capture: CaptureConfig | None = None
    strict: bool | None = Field(
        default=None,
        description="True: a request with a field that is not a feature is refused. Absent: it is ignored.",
    )
