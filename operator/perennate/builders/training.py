"""Children of a TrainingJob: the Job whose pod runs the stages, and the store claim of the namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.documents.canonical import environment_json
from perennate.api.documents.run_request import CapturedRequest, ChampionRequest, RunRequest
from perennate.api.documents.run_spec import RunSpec
from perennate.api.wellknown import (
    DATA_DIR,
    ENV_RUN_REQUEST,
    OUT_DIR,
    PREPARED_DIR,
    RECORD_DIR,
    STAGE_PREPARE,
    STAGE_PUBLISH,
    STAGE_TRAIN,
    STAGES,
    STORE_CLAIM,
    STORE_DIR,
    ExitCode,
)
from perennate.builders import names, podspec
from perennate.builders.labels import child_labels, common_labels
from perennate.builders.manifest import owner_reference

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.api.resource_requirements import ResourceRequirements
    from perennate.api.v1alpha1 import TrainingJob
    from perennate.api.v1alpha1.training_spec import TrainerContainer, TrainingJobSpec

PREPARED_VOLUME: Final = "prepared"
RECORD_VOLUME: Final = "record"
OUT_VOLUME: Final = "out"
SHM_VOLUME: Final = "publish-shm"
DATA_VOLUME: Final = "data"
TMP_DIR: Final = "/tmp"  # noqa: S108 - an emptyDir of one container, not a shared folder
SHM_DIR: Final = "/dev/shm"  # noqa: S108 - an emptyDir of one container, not a shared folder
SHM_LIMIT: Final = "64Mi"
"""Size of /dev/shm by default. The containers of a pod share the one that they have by default."""
WORKING_DIR: Final = "/"
"""Working directory of our stages. No container can write to it, so that no stage imports what another one left."""
EPHEMERAL_STORAGE: Final = "ephemeral-storage"
GRACE_SECONDS: Final = 30
DEFAULT_RESOURCES: Final = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}}
FINAL_EXIT_CODES: Final = (ExitCode.DATA_REFUSED, ExitCode.GATE_FAILED, ExitCode.BAD_CONFIGURATION)
"""Exit codes that fail the Job without a retry."""
COMPATIBLE: Final = ("compatibility", "Require")


def run_request(
    resource: TrainingJob, *, champion: ChampionRequest | None, captured: CapturedRequest | None
) -> RunRequest:
    """The run request: the spec, and the resolved champion and captured rows."""
    return RunRequest(
        namespace=resource.metadata.namespace,
        training_job=resource.metadata.name,
        uid=resource.metadata.uid,
        spec=run_spec(resource.spec),
        champion=champion,
        captured=captured,
    )


def run_spec(spec: TrainingJobSpec) -> RunSpec:
    """The fields of a spec that can change the result. In v1alpha1 they have the names of the document's fields."""
    found = {name: value for name, value in spec.to_document().items() if name in RunSpec.model_fields}
    # Documents leave out the default of this newer field, so that fingerprints stay as they were.
    evaluation = {key: value for key, value in found["evaluation"].items() if (key, value) != COMPATIBLE}
    return RunSpec.model_validate({**found, "evaluation": evaluation})


def encode_request(request: RunRequest) -> str:
    """The run request as the value of an environment variable."""
    return environment_json(request.to_document())


def run_job(
    resource: TrainingJob,
    *,
    attempt: int,
    request: RunRequest,
    data_claim: str | None,
    image: str,
    pull_policy: str,
) -> Manifest:
    """The batch/v1 Job of an attempt. Its pod runs prepare and train as init containers, and publish as main container.

    The Job is created suspended and resumed after the status has recorded it. A Job that is deleted before that has
    run no pod, so that a Job of the same name can be created again.

    Args:
        resource: the TrainingJob.
        attempt: number of the attempt, from 0. The name depends on it.
        request: run request of prepare and publish. Train has no access to it and to the store.
        data_claim: claim with the training data. None if the data are elsewhere.
        image: trainer image.
        pull_policy: image pull policy of all containers.
    """
    labels = child_labels(resource, "training", model=resource.spec.model.name)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": names.run_job(resource.metadata.name, uid=resource.metadata.uid, attempt=attempt),
            "namespace": resource.metadata.namespace,
            "labels": labels,
            "ownerReferences": [owner_reference(resource)],
        },
        "spec": {
            "backoffLimit": resource.spec.backoff_limit,
            "activeDeadlineSeconds": resource.spec.active_deadline_seconds,
            "suspend": True,
            "podFailurePolicy": _pod_failure_policy(),
            "template": {
                "metadata": {"labels": dict(labels)},
                "spec": _pod_spec(resource, request, data_claim=data_claim, image=image, pull_policy=pull_policy),
            },
        },
    }


def suspension(resource: TrainingJob, job: Manifest) -> Manifest:
    """A patch of `spec.suspend` for server-side apply. The uid prevents that a deleted Job is created again."""
    metadata = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {key: metadata[key] for key in ("name", "namespace", "uid")},
        "spec": {"suspend": resource.spec.suspend},
    }


def store_claim(namespace: str, *, size: str, storage_class: str | None, access_mode: str) -> Manifest:
    """The claim with the model versions of a namespace. It has no owner, so that it is never garbage-collected."""
    spec: Manifest = {"accessModes": [access_mode], "resources": {"requests": {"storage": size}}}
    if storage_class is not None:
        spec["storageClassName"] = storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": STORE_CLAIM, "namespace": namespace, "labels": common_labels("store", STORE_CLAIM)},
        "spec": spec,
    }


def _pod_failure_policy() -> Manifest:
    """Fail the Job on final exit codes. Ignore preempted pods, and those evicted for a lack of resources of their node.

    A pod that is evicted because it exceeds its own limit of disk has no condition DisruptionTarget, so it counts.
    """
    return {
        "rules": [
            {
                "action": "FailJob",
                "onExitCodes": {"operator": "In", "values": [int(code) for code in FINAL_EXIT_CODES]},
            },
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        ]
    }


def _pod_spec(
    resource: TrainingJob, request: RunRequest, *, data_claim: str | None, image: str, pull_policy: str
) -> Manifest:
    resources = _resources(resource.spec.resources)
    mounts = _mounts()
    if data_claim is not None:
        mounts[STAGE_PREPARE].append(podspec.mount(DATA_VOLUME, DATA_DIR, read_only=True))

    def stage(name: str, **env: str) -> Manifest:
        return {
            "name": name,
            "image": image,
            "imagePullPolicy": pull_policy,
            "args": [name],
            "workingDir": WORKING_DIR,
            "env": podspec.environment(HOME=TMP_DIR, PYTHONSAFEPATH="1", **env),
            "resources": {key: dict(values) for key, values in resources.items()},
            "securityContext": podspec.container_security(),
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": mounts[name],
        }

    encoded = {ENV_RUN_REQUEST: encode_request(request)}
    train = stage(STAGE_TRAIN)
    if resource.spec.trainer.container is not None:
        train = _user_container(resource.spec.trainer.container, train)
    return {
        **podspec.pod_defaults(grace_seconds=GRACE_SECONDS),
        "restartPolicy": "Never",
        "initContainers": [stage(STAGE_PREPARE, **encoded), train],
        "containers": [stage(STAGE_PUBLISH, **encoded)],
        "volumes": _volumes(data_claim, limit=resources["limits"][EPHEMERAL_STORAGE]),
    }


def _resources(wanted: ResourceRequirements | None) -> Manifest:
    """Resources of each stage, with a limit of the disk of the pod.

    The request is 0, because nodes that do not measure local disks fit no pod with another one.
    """
    found = podspec.resources(wanted, DEFAULT_RESOURCES)
    requests, limits = found.get("requests", {}), found.get("limits", {})
    if EPHEMERAL_STORAGE in limits:
        return found
    limit = requests.get(EPHEMERAL_STORAGE, podspec.DISK_LIMIT)
    return {
        "requests": {EPHEMERAL_STORAGE: "0", **requests},
        "limits": {**limits, EPHEMERAL_STORAGE: limit},
    }


def _mounts() -> dict[str, list[Manifest]]:
    """Mounts of each stage. train and publish can write to no volume in common."""
    prepared, record, out, store = PREPARED_VOLUME, RECORD_VOLUME, OUT_VOLUME, podspec.STORE_VOLUME
    mount = podspec.mount
    mounts = {
        STAGE_PREPARE: [
            mount(prepared, PREPARED_DIR),
            mount(record, RECORD_DIR),
            mount(store, STORE_DIR, read_only=True),
        ],
        STAGE_TRAIN: [mount(prepared, PREPARED_DIR, read_only=True), mount(out, OUT_DIR)],
        STAGE_PUBLISH: [
            mount(prepared, PREPARED_DIR, read_only=True),
            mount(record, RECORD_DIR, read_only=True),
            mount(out, OUT_DIR, read_only=True),
            mount(store, STORE_DIR),
            mount(SHM_VOLUME, SHM_DIR),
        ],
    }
    return {name: [mount(_tmp_volume(name), TMP_DIR), *entries] for name, entries in mounts.items()}


def _volumes(data_claim: str | None, *, limit: str | int) -> list[Manifest]:
    """Volumes of a training pod. `limit` is the size limit of each on disk; the limit of the pod counts them together.

    Args:
        data_claim: claim with the training data, if any.
        limit: limit of ephemeral storage.
    """
    on_disk = (PREPARED_VOLUME, RECORD_VOLUME, OUT_VOLUME, *(_tmp_volume(name) for name in STAGES))
    return [
        *(podspec.empty_dir(name, limit=limit) for name in on_disk),
        podspec.empty_dir(SHM_VOLUME, in_memory_limit=SHM_LIMIT),
        podspec.store_volume(),
        *([] if data_claim is None else [podspec.claim_volume(DATA_VOLUME, data_claim)]),
    ]


def _tmp_volume(stage: str) -> str:
    """The volume at /tmp of a stage."""
    return f"{stage}-tmp"


def _user_container(container: TrainerContainer, stage: Manifest) -> Manifest:
    """The train stage with image, command, arguments and environment of the user.

    The working directory is that of the image: a program may find its modules there.
    """
    given = {variable.name: variable.value for variable in container.env}
    own = {
        "image": container.image,
        "command": list(container.command),
        "args": list(container.args),
        "env": podspec.environment(**{"HOME": TMP_DIR, **given}),
    }
    return {**{key: value for key, value in stage.items() if key != "workingDir"}, **own}
