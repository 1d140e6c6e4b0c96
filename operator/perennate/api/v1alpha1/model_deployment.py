"""ModelDeployment: a model line served by BentoML, changed only by proven steps."""

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
    ResourceRequirements,
    Scale,
    StatusModel,
    Time,
    validation,
)

Text = Annotated[str, StringConstraints(max_length=256)]
StoreUri = Annotated[
    str, StringConstraints(pattern=r"^store://[a-z0-9]([-a-z0-9]*[a-z0-9])?/versions/[0-9a-f]{64}$", max_length=160)
]


class ConditionType(StrEnum):
    """Conditions of a ModelDeployment. Ready needs Available and ModelLoaded."""

    READY = "Ready"
    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    MODEL_LOADED = "ModelLoaded"


class Reason(StrEnum):
    """Reasons of a ModelDeployment's conditions, history entries and Events."""

    INVALID_SPEC = "InvalidSpec"
    """The spec could not be read although the schema let it through; the message names the field."""
    NO_VERSION = "NoVersion"
    """No TrainingJob of the tracked model line has published a version (yet)."""
    VERSION_RESOLVED = "VersionResolved"
    """A version was chosen to be served."""
    ROLLING_OUT = "RollingOut"
    """Pods of the chosen version are being started."""
    ROLLED_OUT = "RolledOut"
    """Every pod serves the chosen version."""
    AWAITING_PROMOTION = "AwaitingPromotion"
    """A newer version is there and promotion is Manual."""
    PROMOTED = "Promoted"
    """A person asked for the newer version."""
    VERSION_REJECTED = "VersionRejected"
    """The version did not become ready in spec.progressDeadlineSeconds and is not tried again."""
    RETRIED = "Retried"
    """A person asked to forget the rejected versions."""
    ALL_VERSIONS_REJECTED = "AllVersionsRejected"
    """Every known version was rejected and none is served."""
    PODS_READY = "PodsReady"
    """As many pods are ready as asked for."""
    PODS_NOT_READY = "PodsNotReady"
    """Fewer pods are ready than asked for."""
    MODEL_LOADED = "ModelLoaded"
    """Every pod loaded the version whose digest it was given."""
    MODEL_NOT_LOADED = "ModelNotLoaded"
    """A pod could not load the version; the message says why."""
    SCALED = "Scaled"
    """The number of replicas was changed."""
    NAME_TAKEN = "NameTaken"
    """An object that another owner controls has the name that a child must get."""


class Phase(StrEnum):
    """Where a deployment is, in one word."""

    PENDING = "Pending"
    PROGRESSING = "Progressing"
    HEALTHY = "Healthy"
    DEGRADED = "Degraded"


class Promotion(StrEnum):
    """Who decides that a newer version is rolled out."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class Pinned(Model):
    """One version, decided in Git."""

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
            "Where the version lies: `store://<model>/versions/<digits of the digest>`, as in a TrainingJob's status."
        )
    )
    digest: Digest = Field(description="Digest of the version's manifest.")


class Track(Model):
    """The newest version of a model line that passed its gates."""

    name: ObjectName = Field(description="Model line to follow.")
    promotion: Promotion = Field(
        default=Promotion.AUTOMATIC,
        description=(
            "Automatic: a newer version rolls out by itself. "
            "Manual: it waits for the annotation perennate.dev/promote-requested-at."
        ),
    )


class ServedModel(Model):
    """Which version is served: exactly one of its members."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation("has(self.pinned) != has(self.track)", "model must have exactly one of pinned, track")
            ]
        }
    )

    pinned: Pinned | None = Field(default=None, description="One version, decided in Git.")
    track: Track | None = Field(default=None, description="The newest version of a model line that passed its gates.")


class Serving(Model):
    """How the pods serve."""

    resources: ResourceRequirements | None = Field(
        default=None, description="Compute resources of the serving container."
    )


class Capture(Model):
    """Which rows of the traffic are kept for retraining."""

    sampling_ratio: float = Field(ge=0, le=1, description="Share of the requests whose rows are kept; 0 keeps none.")
    flush_interval: Annotated[Duration, AtLeast("1s")] = Field(
        default="60s", description="How often a pod writes what it captured to the store."
    )
    retention: Annotated[Duration, AtLeast("1m")] = Field(
        default="168h", description="Age at which captured rows are deleted."
    )


class ModelDeploymentSpec(Model):
    """What is served, and how."""

    model: ServedModel = Field(description="Which version is served.")
    replicas: int | None = Field(
        default=None, ge=0, le=1000, description="Number of serving pods; 1 when absent. The scale subresource works."
    )
    serving: Serving = Field(default=Serving(), description="How the pods serve.")
    capture: Capture | None = Field(
        default=None, description="Which rows of the traffic are kept for retraining; none when absent."
    )
    progress_deadline_seconds: int = Field(
        default=600,
        ge=10,
        le=86_400,
        description="Seconds in which a new version must become ready in every pod, else it is given up.",
    )


class Revision(StatusModel):
    """A version as it was resolved for serving."""

    model: Text = Field(description="Model line.")
    digest: Digest = Field(description="Digest of the version's manifest.")
    version: Annotated[str, StringConstraints(max_length=12)] = Field(
        description="Short form: the first 12 digits of the digest."
    )
    uri: Text = Field(description="Where it lies in the namespace's store.")
    profile_digest: Digest | None = Field(default=None, description="Digest of its reference profile, when known.")
    training_job: Text | None = Field(default=None, description="TrainingJob that published it, when known.")
    since: Time | None = Field(
        default=None, description="When it was chosen; for the stable revision, when every pod served it."
    )


class RejectedVersion(StatusModel):
    """A version that is not tried again."""

    digest: Digest = Field(description="Digest of the version.")
    time: Time = Field(description="When it was given up.")
    message: Message = Field(default="", description="Why, for people.")


class ModelDeploymentStatus(StatusModel):
    """What the operator saw of a deployment."""

    observed_generation: int = Field(
        default=0, ge=0, description="Generation of the spec that the status was derived from."
    )
    phase: Phase | None = Field(default=None, description="Where the deployment is, in one word.")
    summary: Message | None = Field(default=None, description="Where the deployment is, in one sentence.")
    conditions: Conditions = ()
    replicas: int = Field(default=0, ge=0, description="Pods that exist.")
    ready_replicas: int = Field(default=0, ge=0, description="Pods that are ready.")
    updated_replicas: int = Field(default=0, ge=0, description="Pods of the current revision.")
    selector: Text | None = Field(default=None, description="Label selector of the pods, for the scale subresource.")
    url: Text | None = Field(default=None, description="Address of the service inside the cluster.")
    current_revision: Revision | None = Field(
        default=None, description="The version that is served or being rolled out."
    )
    stable_revision: Revision | None = Field(default=None, description="The last version that every pod served.")
    candidate_revision: Revision | None = Field(default=None, description="A newer version that waits for promotion.")
    rejected: tuple[RejectedVersion, ...] = Field(
        default=(), max_length=20, description="Versions that are not tried again.", json_schema_extra=LIST_ATOMIC
    )
    handled_promotion: Text | None = Field(
        default=None, description="Value of the promote annotation that was answered last."
    )
    handled_retry: Text | None = Field(
        default=None, description="Value of the retry annotation that was answered last."
    )
    history: History = ()


class ModelDeployment(CustomResource):
    """A model line served by BentoML, changed only by proven steps."""

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
        description="A model line served by BentoML, changed only by proven steps.",
        columns=(
            PrinterColumn("Phase", "string", ".status.phase", "Where the deployment is."),
            PrinterColumn("Ready", "integer", ".status.readyReplicas", "Pods that are ready."),
            PrinterColumn(
                "Version", "string", ".status.stableRevision.version", "The last version that every pod served."
            ),
            PrinterColumn("Summary", "string", ".status.summary", "Where the deployment is, in one sentence."),
            PrinterColumn(
                "Current",
                "string",
                ".status.currentRevision.version",
                "The version being served or rolled out.",
                priority=1,
            ),
            PrinterColumn("URL", "string", ".status.url", "Address inside the cluster.", priority=1),
            PrinterColumn("Age", "date", ".metadata.creationTimestamp", "Age of the object."),
        ),
        scale=Scale(".spec.replicas", ".status.replicas", ".status.selector"),
    )

    spec: ModelDeploymentSpec = Field(description="What is served, and how.")
    status: ModelDeploymentStatus = Field(
        default=ModelDeploymentStatus(), description="What the operator saw of the deployment."
    )
