"""Children of a ModelDeployment: the Deployment whose pods serve a version, and its Service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.documents.canonical import environment_json, short_version
from perennate.api.documents.captured_rows import captured_path
from perennate.api.documents.serving_config import CaptureConfig, FeedbackConfig, HttpConfig, ServingConfig
from perennate.api.durations import parse_duration
from perennate.api.wellknown import (
    CAPTURE_DIR,
    ENV_SERVING,
    FEEDBACK_DIR,
    FEEDBACK_FILE,
    KEY_DIR,
    LABEL_VERSION,
    MODEL_DIR,
    OPERATIONS_PORT,
    STORE_DIR,
    TRAFFIC_PORT,
)
from perennate.builders import names, podspec
from perennate.builders.labels import child_labels, owner_label
from perennate.builders.manifest import owner_reference, with_applied_hash

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1 import ModelDeployment
    from perennate.api.v1alpha1.model_deployment import Revision, SecretKeyRef, Serving

MODEL_VOLUME: Final = "model"
KEY_VOLUME: Final = "key"
KEY_LIMIT: Final = "64Ki"
FEEDBACK_VOLUME: Final = "feedback-token"
FEEDBACK_MODE: Final = 0o440
"""The files belong to root and to the group of the pod."""
SCRATCH_VOLUME: Final = "scratch"
SCRATCH_DIR: Final = "/run/bento"
"""The only writable path of the serving container, in memory."""
SCRATCH_LIMIT: Final = "64Mi"
GRACE_SECONDS: Final = 40
DRAIN_SECONDS: Final = 5
"""Seconds that a terminating pod still serves requests, until all proxies have removed its endpoint."""
SERVICE_PORT: Final = 80
STARTUP_SECONDS: Final = 120
DEFAULT_REPLICAS: Final = 1
DEFAULT_RESOURCES: Final = {"requests": {"cpu": "100m", "memory": "320Mi"}, "limits": {"memory": "1Gi"}}
SERVE_CONTAINER: Final = "serve"
FETCH_CONTAINER: Final = "fetch"


def serving_config(resource: ModelDeployment, revision: Revision) -> ServingConfig:
    """Configuration of the containers of a serving pod."""
    capture, token = resource.spec.capture, _token_ref(resource)
    config = None
    if capture is not None:
        config = CaptureConfig(
            sampling_ratio=capture.sampling_ratio,
            flush_seconds=parse_duration(capture.flush_interval),
            retention_seconds=parse_duration(capture.retention),
        )
    return ServingConfig(
        namespace=resource.metadata.namespace,
        model_deployment=resource.metadata.name,
        model=revision.model,
        digest=revision.digest,
        capture=config,
        strict=resource.spec.serving.strict or None,
        http=_http_config(resource.spec.serving),
        feedback=None if token is None else FeedbackConfig(secret=token.name, key=token.key),
    )


def _token_ref(resource: ModelDeployment) -> SecretKeyRef | None:
    """The Secret with the token of `/feedback`, if it needs one."""
    feedback = resource.spec.feedback
    return None if feedback is None else feedback.token_secret_ref


def _http_config(serving: Serving) -> HttpConfig | None:
    """Configuration of the traffic port; None if all of it is the default."""
    config = HttpConfig(
        keep_alive_seconds=serving.keep_alive_seconds,
        max_connections=serving.max_connections,
        allowed_origins=serving.cors.allowed_origins if serving.cors else (),
        access_log=serving.access_log.value,
    )
    return None if config == HttpConfig() else config


def serving_deployment(resource: ModelDeployment, *, revision: Revision, image: str, pull_policy: str) -> Manifest:
    """The apps/v1 Deployment whose pods serve `revision`. A pod is removed only after its successor is ready."""
    labels = child_labels(resource, "serving", model=revision.model)
    replicas = resource.spec.replicas
    return with_applied_hash(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": names.serving_deployment(resource.metadata.name),
                "namespace": resource.metadata.namespace,
                "labels": labels,
                "ownerReferences": [owner_reference(resource)],
            },
            "spec": {
                "replicas": DEFAULT_REPLICAS if replicas is None else replicas,
                "revisionHistoryLimit": 2,
                "progressDeadlineSeconds": resource.spec.progress_deadline_seconds,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}},
                "selector": {"matchLabels": owner_label(resource)},
                "template": {
                    "metadata": {
                        "labels": {**labels, LABEL_VERSION: short_version(revision.digest)},
                        "annotations": {LABEL_VERSION: short_version(revision.digest)},
                    },
                    "spec": _pod_spec(serving_config(resource, revision), resource, image, pull_policy),
                },
            },
        }
    )


def serving_service(resource: ModelDeployment, *, model: str) -> Manifest:
    """The v1 Service that routes traffic to the ready pods."""
    return with_applied_hash(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": names.serving_service(resource.metadata.name),
                "namespace": resource.metadata.namespace,
                "labels": child_labels(resource, "serving", model=model),
                "ownerReferences": [owner_reference(resource)],
            },
            "spec": {
                "type": "ClusterIP",
                "selector": owner_label(resource),
                "ports": [{"name": "http", "port": SERVICE_PORT, "protocol": "TCP", "targetPort": TRAFFIC_PORT}],
            },
        }
    )


def _pod_spec(config: ServingConfig, resource: ModelDeployment, image: str, pull_policy: str) -> Manifest:
    def container(own: Manifest) -> Manifest:
        return {
            "name": own["name"],
            "image": image,
            "imagePullPolicy": pull_policy,
            "resources": podspec.resources(resource.spec.serving.resources, DEFAULT_RESOURCES),
            "securityContext": podspec.container_security(),
            "terminationMessagePolicy": "FallbackToLogsOnError",
            **own,
        }

    encoded, token = environment_json(config.to_document()), _token_ref(resource)
    return {
        **podspec.pod_defaults(grace_seconds=GRACE_SECONDS),
        "initContainers": [container(_fetch(encoded))],
        "containers": [container(_serve(encoded, capture_path=_capture_path(config), has_token=token is not None))],
        "volumes": [
            podspec.store_volume(),
            podspec.empty_dir(MODEL_VOLUME),
            podspec.empty_dir(KEY_VOLUME, in_memory_limit=KEY_LIMIT),
            podspec.empty_dir(SCRATCH_VOLUME, in_memory_limit=SCRATCH_LIMIT),
            *([] if token is None else [_token_volume(token)]),
        ],
    }


def _token_volume(token: SecretKeyRef) -> Manifest:
    """The Secret with the token. A missing one does not keep the pod from starting: the container says what is missing.

    The kubelet keeps the file up to date. It does not for a single file that is mounted by subPath.
    """
    return {
        "name": FEEDBACK_VOLUME,
        "secret": {
            "secretName": token.name,
            "items": [{"key": token.key, "path": FEEDBACK_FILE}],
            "defaultMode": FEEDBACK_MODE,
            "optional": True,
        },
    }


def _fetch(encoded: str) -> Manifest:
    """The init container that copies and verifies the version.

    It writes to the store: the first pod of a model line creates the key, and the folder of captured files.
    """
    return {
        "name": FETCH_CONTAINER,
        "args": ["fetch"],
        "env": podspec.environment(**{ENV_SERVING: encoded}),
        "volumeMounts": [
            podspec.mount(podspec.STORE_VOLUME, STORE_DIR),
            podspec.mount(MODEL_VOLUME, MODEL_DIR),
            podspec.mount(KEY_VOLUME, KEY_DIR),
        ],
    }


def _serve(encoded: str, *, capture_path: str | None, has_token: bool) -> Manifest:
    """The container that serves the verified copy. With capture, it can access its folder of captured files."""
    mounts = [
        podspec.mount(MODEL_VOLUME, MODEL_DIR, read_only=True),
        podspec.mount(KEY_VOLUME, KEY_DIR, read_only=True),
        podspec.mount(SCRATCH_VOLUME, SCRATCH_DIR),
    ]
    if has_token:
        mounts.append(podspec.mount(FEEDBACK_VOLUME, FEEDBACK_DIR, read_only=True))
    if capture_path is not None:
        mounts.append(podspec.mount(podspec.STORE_VOLUME, CAPTURE_DIR, sub_path=capture_path))
    variables = {
        ENV_SERVING: encoded,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": SCRATCH_DIR,
        "HOME": SCRATCH_DIR,
        "TMPDIR": SCRATCH_DIR,
    }
    return {
        "name": SERVE_CONTAINER,
        "args": ["serve"],
        "env": [
            *podspec.environment(**variables),
            podspec.pod_field("POD_NAME", "metadata.name"),
            podspec.pod_field("POD_UID", "metadata.uid"),
        ],
        "ports": [
            {"name": "http", "containerPort": TRAFFIC_PORT, "protocol": "TCP"},
            {"name": "operations", "containerPort": OPERATIONS_PORT, "protocol": "TCP"},
        ],
        "startupProbe": _probe("/readyz", period=1, timeout=2, failures=STARTUP_SECONDS),
        "readinessProbe": _probe("/readyz", period=2, timeout=2, failures=3),
        "livenessProbe": _probe("/livez", period=10, timeout=5, failures=3),
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "volumeMounts": mounts,
    }


def _capture_path(config: ServingConfig) -> str | None:
    """Path of the captured files of the deployment in the store. None without capture."""
    if config.capture is None:
        return None
    return captured_path(config.namespace, config.model, config.model_deployment)


def _probe(path: str, *, period: int, timeout: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": OPERATIONS_PORT, "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }
