"""The configuration of a serving pod, which the operator writes and the pod reads."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from perennate.api.documents.document import Document
from perennate.api.meta import Digest, Model

DEFAULT_KEEP_ALIVE_SECONDS: Final = 75
"""Longer than common proxies keep an idle connection, so that the pod does not close one that a proxy reuses."""
DEFAULT_MAX_CONNECTIONS: Final = 1000

AccessLogMode = Literal["Off", "Errors", "All"]


class HttpConfig(Model):
    """Configuration of the traffic port."""

    keep_alive_seconds: int = Field(
        default=DEFAULT_KEEP_ALIVE_SECONDS, ge=1, description="Seconds after which an idle connection is closed."
    )
    max_connections: int = Field(
        default=DEFAULT_MAX_CONNECTIONS, ge=1, description="Maximum number of open connections."
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(), description="Origins of web pages that may call the pod; * allows all."
    )
    access_log: AccessLogMode = Field(default="Errors", description="Which requests are logged.")


class CaptureConfig(Model):
    """Capture of rows for retraining."""

    sampling_ratio: float = Field(ge=0, le=1, description="Fraction of the requests whose rows are captured.")
    flush_seconds: float = Field(gt=0, description="Seconds between two files.")
    retention_seconds: float = Field(gt=0, description="Age in seconds at which a file is deleted.")


class FeedbackConfig(Model):
    """The token of `/feedback`. The pod has it as a file; the names are for messages."""

    secret: str = Field(description="Name of the Secret.")
    key: str = Field(description="Key in the Secret.")


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
    http: HttpConfig | None = None
    feedback: FeedbackConfig | None = None
