"""ModelDeployment: pods that serve a version of a model line with BentoML."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, StringConstraints

from perennate.api.durations import AtLeast, Duration
from perennate.api.meta import (
    LIST_ATOMIC,
    Conditions,
    CustomResource,
    Digest,
    History,
    KindDeclaration,
    Message,
    Model,
    ObjectName,
    PrinterColumn,
    Scale,
    StatusModel,
    Time,
    validation,
)
from perennate.api.resource_requirements import ResourceRequirements

Text = Annotated[str, StringConstraints(max_length=256)]
Origin = Annotated[str, StringConstraints(pattern=r"^(\*|https?://[a-zA-Z0-9.\[\]:-]+)$", min_length=1, max_length=256)]
SecretName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", min_length=1, max_length=253
    ),
]
SecretKey = Annotated[
    str, StringConstraints(pattern=r"^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$", min_length=1, max_length=253)
]
StoreUri = Annotated[
    str, StringConstraints(pattern=r"^store://[a-z0-9]([-a-z0-9]*[a-z0-9])?/versions/[0-9a-f]{64}$", max_length=160)
]


class ConditionType(StrEnum):
    """Conditions of a ModelDeployment. Ready is True if Available and ModelLoaded are True."""

    READY = "Ready"
    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    MODEL_LOADED = "ModelLoaded"


class Reason(StrEnum):
    """Reasons of a ModelDeployment's conditions, history entries and Events."""

    INVALID_SPEC = "InvalidSpec"
    """The API server accepted the spec, but the operator cannot read it. The message names the field."""
    FORBIDDEN = "Forbidden"
    """The API server forbids a call that the object needs: a right, a quota or a policy. The message names the call."""
    OBJECT_TOO_LARGE = "ObjectTooLarge"
    """The object has more than 256 KiB as JSON, metadata included, or more than 16384 lists and maps in its spec, or
    the objects of the namespace need too much memory of the operator. The message says which. Nothing is done for the
    object until it is smaller or there is room."""
    NO_VERSION = "NoVersion"
    """No TrainingJob of the tracked model line has published a version yet."""
    VERSION_RESOLVED = "VersionResolved"
    """A version was selected for serving."""
    ROLLING_OUT = "RollingOut"
    """Pods of the selected version are starting."""
    ROLLED_OUT = "RolledOut"
    """All pods serve the selected version."""
    AWAITING_PROMOTION = "AwaitingPromotion"
    """A newer version waits for a person: promotion is Manual, or it is not set and no anchor proves a version that was
    trained on captured labels."""
    PROMOTED = "Promoted"
    """A user promoted the newer version."""
    VERSION_REJECTED = "VersionRejected"
    """The version did not become ready within spec.progressDeadlineSeconds. It is not rolled out again."""
    RETRIED = "Retried"
    """A user cleared the list of rejected versions."""
    ALL_VERSIONS_REJECTED = "AllVersionsRejected"
    """All known versions were rejected, and no version is served."""
    PODS_READY = "PodsReady"
    """The desired number of pods is ready."""
    PODS_NOT_READY = "PodsNotReady"
    """Fewer pods are ready than desired."""
    MODEL_LOADED = "ModelLoaded"
    """All pods loaded the version with the expected digest."""
    MODEL_NOT_LOADED = "ModelNotLoaded"
    """A pod could not load the version. The message says why."""
    SCALED = "Scaled"
    """The number of replicas changed."""
    NAME_TAKEN = "NameTaken"
    """Another owner controls an object with the name of a child."""


class Phase(StrEnum):
    """Phase of a deployment."""

    PENDING = "Pending"
    PROGRESSING = "Progressing"
    HEALTHY = "Healthy"
    DEGRADED = "Degraded"


class Promotion(StrEnum):
    """Whether a newer version rolls out automatically."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class Pinned(Model):
    """A fixed version."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "self.uri.endsWith(self.digest.substring(7))",
                    "pinned.uri must end with the hexadecimal digits of pinned.digest",
                    field_path=".uri",
                )
            ]
        }
    )

    uri: StoreUri = Field(
        description=(
            "Location of the version: `store://<model>/versions/<digits of the digest>`, "
            "as in the status of its TrainingJob."
        )
    )
    digest: Digest = Field(description="Digest of the manifest of the version.")


class Track(Model):
    """The newest published version of a model line."""

    name: ObjectName = Field(description="Model line to follow.")
    promotion: Promotion | None = Field(
        default=None,
        description=(
            "Automatic: a newer version rolls out at once. "
            "Manual: it waits for the annotation perennate.dev/promote-requested-at. "
            "Default: as Automatic, but a version that was trained on captured labels without "
            "`data.captured.anchor` waits as well, because whoever sends labels decides about it."
        ),
    )


class ServedModel(Model):
    """The version to serve. Exactly one field must be set."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation("has(self.pinned) != has(self.track)", "model must have exactly one of pinned, track")
            ]
        }
    )

    pinned: Pinned | None = Field(default=None, description="Serve a fixed version.")
    track: Track | None = Field(default=None, description="Serve the newest published version of a model line.")


class AccessLog(StrEnum):
    """Which requests the serving pods log."""

    OFF = "Off"
    ERRORS = "Errors"
    ALL = "All"


class Cors(Model):
    """Cross-origin resource sharing: which web pages may call the pods."""

    allowed_origins: tuple[Origin, ...] = Field(
        max_length=50,
        description="Origins such as https://app.example; * allows all. None allows no page of another origin.",
        json_schema_extra=LIST_ATOMIC,
    )


class Serving(Model):
    """Configuration of the serving pods."""

    resources: ResourceRequirements | None = Field(
        default=None, description="Compute resources of the serving container."
    )
    strict: bool = Field(
        default=False,
        description=(
            "Whether a request with a field that is not a feature of the model is refused. By default the field is "
            "ignored. A request without one of the features is always refused."
        ),
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        le=3600,
        description=(
            "Seconds after which a pod closes an idle connection. Must be longer than the time after which a proxy in "
            "front of it does, otherwise requests are lost now and then."
        ),
    )
    max_connections: int = Field(
        default=1000,
        ge=8,
        le=20_000,
        description="Number of connections that a pod accepts at once. Another one takes the place of the one that has "
        "waited longest for its client, or gets 503.",
    )
    cors: Cors | None = Field(
        default=None, description="Web pages that may call the pods. Default: none of another origin."
    )
    access_log: AccessLog = Field(
        default=AccessLog.ERRORS,
        description=(
            "Requests that a pod logs, one JSON object a line. Errors: those with a status from 500, 408, or 499 for a "
            "client that disconnected, at most 50 a second."
        ),
    )


class Capture(Model):
    """Capture of traffic for retraining."""

    sampling_ratio: float = Field(
        ge=0, le=1, description="Fraction of the requests whose rows are captured. 0 captures none."
    )
    flush_interval: Annotated[Duration, AtLeast("1s")] = Field(
        default="60s", description="Interval at which a pod writes captured rows to the store."
    )
    retention: Annotated[Duration, AtLeast("1m")] = Field(
        default="168h", description="Age at which captured rows are deleted."
    )


class SecretKeyRef(Model):
    """A key of a Secret in the same namespace. The operator does not read it."""

    name: SecretName = Field(description="Name of the Secret.")
    key: SecretKey = Field(description="Key in the Secret.")


class Feedback(Model):
    """Who may send labels to the pods."""

    token_secret_ref: SecretKeyRef = Field(
        description=(
            "Secret with a token. `POST /feedback` then needs the header `Authorization: Bearer <token>`. The pods "
            "follow a changed Secret within about a minute, without a restart. Without the Secret, no pod starts."
        )
    )


class ModelDeploymentSpec(Model):
    """Desired state of a ModelDeployment."""

    model: ServedModel = Field(description="The version to serve.")
    replicas: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="Number of serving pods. Default: 1. The scale subresource can change it.",
    )
    serving: Serving = Field(default=Serving(), description="Configuration of the serving pods.")
    capture: Capture | None = Field(
        default=None, description="Capture of traffic for retraining. Default: nothing is captured."
    )
    feedback: Feedback | None = Field(
        default=None, description="Who may send labels to the pods. Default: everyone who reaches them."
    )
    progress_deadline_seconds: int = Field(
        default=600,
        ge=10,
        le=86_400,
        description=(
            "Seconds within which all pods of a new version must become ready. Otherwise the version is rejected."
        ),
    )


class Revision(StatusModel):
    """A version that was selected for serving."""

    model: Text = Field(description="Model line.")
    digest: Digest = Field(description="Digest of the manifest of the version.")
    version: Annotated[str, StringConstraints(max_length=12)] = Field(description="First 12 digits of the digest.")
    uri: Text = Field(description="Location of the version in the store of the namespace.")
    profile_digest: Digest | None = Field(
        default=None, description="Digest of the reference profile of the version, if known."
    )
    training_job: Text | None = Field(default=None, description="TrainingJob that published the version, if known.")
    since: Time | None = Field(
        default=None,
        description=(
            "Time at which the version was selected. For the stable revision, the time at which all pods served it."
        ),
    )


class RejectedVersion(StatusModel):
    """A version that is not rolled out again."""

    digest: Digest = Field(description="Digest of the version.")
    time: Time = Field(description="Time at which the version was rejected.")
    message: Message = Field(default="", description="Human-readable explanation.")


class ModelDeploymentStatus(StatusModel):
    """Observed state of a ModelDeployment."""

    observed_generation: int = Field(
        default=0, ge=0, description="Generation of the spec that this status is based on."
    )
    phase: Phase | None = Field(default=None, description="Phase of the deployment.")
    summary: Message | None = Field(default=None, description="State of the deployment in one sentence.")
    conditions: Conditions = ()
    replicas: int = Field(default=0, ge=0, description="Number of pods.")
    ready_replicas: int = Field(default=0, ge=0, description="Number of ready pods.")
    updated_replicas: int = Field(default=0, ge=0, description="Number of pods of the current revision.")
    selector: Text | None = Field(default=None, description="Label selector of the pods, for the scale subresource.")
    url: Text | None = Field(default=None, description="URL of the Service inside the cluster.")
    current_revision: Revision | None = Field(default=None, description="The version that is served or rolling out.")
    stable_revision: Revision | None = Field(default=None, description="The last version that all pods served.")
    candidate_revision: Revision | None = Field(default=None, description="A newer version that awaits promotion.")
    rejected: tuple[RejectedVersion, ...] = Field(
        default=(), max_length=20, description="Versions that are not rolled out again.", json_schema_extra=LIST_ATOMIC
    )
    handled_promotion: Text | None = Field(
        default=None, description="Value of the promote annotation that was handled last."
    )
    handled_retry: Text | None = Field(default=None, description="Value of the retry annotation that was handled last.")
    history: History = ()


class ModelDeployment(CustomResource):
    """A ModelDeployment serves a version of a model line with BentoML and rolls out newer versions."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$')",
                    "the name of a ModelDeployment must be a DNS label of at most 63 characters "
                    "that starts with a letter",
                )
            ]
        }
    )

    declaration: ClassVar = KindDeclaration(
        kind="ModelDeployment",
        plural="modeldeployments",
        singular="modeldeployment",
        short_names=("md",),
        description="A ModelDeployment serves a version of a model line with BentoML and rolls out newer versions.",
        columns=(
            PrinterColumn("Phase", "string", ".status.phase", "Phase of the deployment."),
            PrinterColumn("Ready", "integer", ".status.readyReplicas", "Number of ready pods."),
            PrinterColumn(
                "Version", "string", ".status.stableRevision.version", "The last version that all pods served."
            ),
            PrinterColumn("Summary", "string", ".status.summary", "State of the deployment in one sentence."),
            PrinterColumn(
                "Current",
                "string",
                ".status.currentRevision.version",
                "The version that is served or rolling out.",
                priority=1,
            ),
            PrinterColumn("URL", "string", ".status.url", "URL inside the cluster.", priority=1),
            PrinterColumn("Age", "date", ".metadata.creationTimestamp", "Age of the object."),
        ),
        scale=Scale(".spec.replicas", ".status.replicas", ".status.selector"),
    )

    spec: ModelDeploymentSpec = Field(description="Desired state of the deployment.")
    status: ModelDeploymentStatus = Field(
        default=ModelDeploymentStatus(), description="Observed state of the deployment."
    )
