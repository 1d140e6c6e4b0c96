"""Names that the operator, pods and users share: group, labels, annotations, ports, paths, exit codes."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

GROUP: Final = "perennate.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
CATEGORY: Final = "mlops"
"""`kubectl get mlops` lists objects of all kinds."""

FIELD_MANAGER: Final = "perennate"
"""Field manager of child objects. `STATUS_MANAGER` is the field manager of the status subresource."""
STATUS_MANAGER: Final = "perennate-status"

# Labels of child objects. The operator watches only objects with the label LABEL_PART_OF.
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
"""Digest of the applied child. An equal child is not applied again."""
ANNOTATION_EPISODE: Final = f"{GROUP}/episode"
ANNOTATION_TRIGGER: Final = f"{GROUP}/trigger"
ANNOTATION_TRIGGER_REASON: Final = f"{GROUP}/trigger-reason"
ANNOTATION_PROMOTE: Final = f"{GROUP}/promote-requested-at"
"""Set by a user on a ModelDeployment (value: RFC 3339 time): roll out the candidate version."""
ANNOTATION_RETRY: Final = f"{GROUP}/retry-requested-at"
"""Set by a user on a ModelDeployment (value: RFC 3339 time): clear the rejected versions and roll out again."""
ANNOTATION_RETRAIN: Final = f"{GROUP}/retrain-requested-at"
"""Set by a user on a DriftPolicy (value: RFC 3339 time): open an episode."""

# Containers of a training pod, in the order in which they run.
STAGE_PREPARE: Final = "prepare"
STAGE_TRAIN: Final = "train"
STAGE_PUBLISH: Final = "publish"
STAGES: Final = (STAGE_PREPARE, STAGE_TRAIN, STAGE_PUBLISH)

# Paths inside pods.
RUN_DIR: Final = "/perennate"
"""Folder of a training run. Its three folders are emptyDirs, because the stages have different access to them."""
PREPARED_DIR: Final = f"{RUN_DIR}/prepared"
"""Training rows and their description. prepare writes; train and publish read."""
RECORD_DIR: Final = f"{RUN_DIR}/record"
"""Hold-out rows and the record of the run. prepare writes and publish reads; train has no access."""
OUT_DIR: Final = f"{RUN_DIR}/out"
"""The model file, and what else train leaves for publish. train writes and publish reads."""
STORE_DIR: Final = "/store"
"""Mount path of the store of the namespace."""
DATA_DIR: Final = "/data"
"""Mount path of the claim of a `pvc://` URI, read-only."""
MODEL_DIR: Final = "/models"
"""emptyDir of a serving pod with the verified copy of its version."""
KEY_DIR: Final = "/keys"
"""emptyDir in memory of a serving pod with the key of its model line."""
KEY_FILE: Final = "id.key"
"""Name of the file in it."""
FEEDBACK_DIR: Final = "/feedback"
"""Mount path of the Secret of spec.feedback.tokenSecretRef."""
FEEDBACK_FILE: Final = "token"
"""Name of the file in it."""
CAPTURE_DIR: Final = "/captured"
"""Folder of the captured files of the deployment. Serving containers can access no other part of the store."""
TERMINATION_LOG: Final = "/dev/termination-log"

STORE_CLAIM: Final = "perennate-store"
"""PersistentVolumeClaim with the model versions of a namespace. It has no owner and is never deleted."""

DRIFT_WINDOW_KIND: Final = "DriftWindow"
DRIFT_WINDOW_PLURAL: Final = "driftwindows"
"""The kind in which the operator keeps the windows of DriftPolicies."""

# Environment of pods.
ENV_RUN_REQUEST: Final = "PERENNATE_RUN_REQUEST"
"""JSON of `api.documents.run_request.RunRequest` for the stages of a training run."""
ENV_SERVING: Final = "PERENNATE_SERVING"
"""JSON of `api.documents.serving_config.ServingConfig` for both containers of a serving pod."""

TRAFFIC_PORT: Final = 3000
OPERATIONS_PORT: Final = 3001

RUN_AS_USER: Final = 65532
"""User id and group id of all pods, and the group that owns their volumes."""


class ExitCode(IntEnum):
    """Exit codes of a stage of a training run. The named errors are not retried; any other code is."""

    DONE = 0
    DATA_REFUSED = 10
    GATE_FAILED = 11
    BAD_CONFIGURATION = 12


EXIT_VERSION_REFUSED: Final = 13
"""Exit code of a container of a serving pod whose version is missing, damaged or cannot be loaded."""
