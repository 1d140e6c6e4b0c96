"""Names that operator, pods and users agree on: group, labels, annotations, ports, paths, exit codes."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

GROUP: Final = "perennate.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
CATEGORY: Final = "mlops"
"""`kubectl get mlops` lists all our kinds."""

FIELD_MANAGER: Final = "perennate"
"""Field manager of children; the status subresource is owned by `STATUS_MANAGER`."""
STATUS_MANAGER: Final = "perennate-status"

# Labels of children. The operator watches only objects that carry PART_OF.
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
PART_OF: Final = "perennate"
LABEL_TRAINING_JOB: Final = f"{GROUP}/training-job"
LABEL_MODEL_DEPLOYMENT: Final = f"{GROUP}/model-deployment"
LABEL_DRIFT_POLICY: Final = f"{GROUP}/drift-policy"
LABEL_MODEL: Final = f"{GROUP}/model"
LABEL_VERSION: Final = f"{GROUP}/version"

# Annotations.
ANNOTATION_APPLIED_HASH: Final = f"{GROUP}/applied-hash"
"""Digest of what we applied last: an equal child is not written again."""
ANNOTATION_EPISODE: Final = f"{GROUP}/episode"
ANNOTATION_TRIGGER: Final = f"{GROUP}/trigger"
ANNOTATION_TRIGGER_REASON: Final = f"{GROUP}/trigger-reason"
ANNOTATION_PROMOTE: Final = f"{GROUP}/promote-requested-at"
"""Set by a person on a ModelDeployment (value: RFC 3339 time): roll out the candidate version now."""
ANNOTATION_RETRY: Final = f"{GROUP}/retry-requested-at"
"""Set by a person on a ModelDeployment (value: RFC 3339 time): forget the rejected versions and try again."""
ANNOTATION_RETRAIN: Final = f"{GROUP}/retrain-requested-at"
"""Set by a person on a DriftPolicy (value: RFC 3339 time): open an episode now."""

# Containers of a training pod, in the order in which they run.
STAGE_PREPARE: Final = "prepare"
STAGE_TRAIN: Final = "train"
STAGE_PUBLISH: Final = "publish"
STAGES: Final = (STAGE_PREPARE, STAGE_TRAIN, STAGE_PUBLISH)

# Paths inside pods.
RUN_DIR: Final = "/perennate"
"""emptyDir of a training run: run.json, data/, out/."""
STORE_DIR: Final = "/store"
"""Where the namespace's store claim is mounted."""
DATA_DIR: Final = "/data"
"""Where the claim of a `pvc://` uri is mounted, read-only."""
MODEL_DIR: Final = "/models"
"""emptyDir of a serving pod: the verified copy of the version it serves."""
CAPTURE_DIR: Final = "/captured"
"""The deployment's own folder of captured rows, the only part of the store that a serving container sees."""
TERMINATION_LOG: Final = "/dev/termination-log"

STORE_CLAIM: Final = "perennate-store"
"""PersistentVolumeClaim that holds a namespace's model versions. It outlives every custom resource."""

# Environment of pods.
ENV_RUN_REQUEST: Final = "PERENNATE_RUN_REQUEST"
"""JSON of `api.documents.run_request.RunRequest` for the stages of a training run."""
ENV_SERVING: Final = "PERENNATE_SERVING"
"""JSON of `api.documents.serving_config.ServingConfig` for both containers of a serving pod."""

TRAFFIC_PORT: Final = 3000
OPERATIONS_PORT: Final = 3001

RUN_AS_USER: Final = 65532
"""Uid and gid of every pod of ours, and the group that owns the volumes."""


class ExitCode(IntEnum):
    """How a stage of a training run ends. The named refusals are never retried; any other code is."""

    DONE = 0
    DATA_REFUSED = 10
    GATE_FAILED = 11
    BAD_CONFIGURATION = 12


EXIT_VERSION_REFUSED: Final = 13
"""How a container of a serving pod ends that finds the version itself unfit: absent, damaged, not to be loaded."""
