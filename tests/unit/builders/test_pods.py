"""Rules for every pod: the restricted Pod Security Standard, and which container may access which volume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from perennate.api.documents.serving_config import FeedbackConfig, HttpConfig, ServingConfig
from perennate.api.resource_requirements import ResourceRequirements
from perennate.api.v1alpha1.model_deployment import ModelDeploymentSpec, Serving
from perennate.api.wellknown import CAPTURE_DIR, ENV_SERVING, STORE_DIR, ExitCode
from perennate.builders import podspec
from tests.support.world.objects import model_deployment, published_job, training_job
from tests.support.world.world import World

Manifest = dict[str, Any]
OWN_CONTAINER = {"container": {"image": "own:1", "command": ["own"], "env": [{"name": "A", "value": "b"}]}}


def training_pod(**spec: Any) -> Manifest:
    """The pod template of a training run."""
    world = World.of(
        training_job(spec=spec), {"kind": "PersistentVolumeClaim", "metadata": {"name": "rows", "uid": "rows"}}
    )
    return _template(world, "TrainingJob", "t", "Job")


def serving_pod(**spec: Any) -> Manifest:
    """The pod template of a serving deployment."""
    return _template(World.of(model_deployment(spec=spec), published_job()), "ModelDeployment", "m", "Deployment")


PODS = {
    "training": training_pod,
    "training with the user's container": lambda: training_pod(trainer=OWN_CONTAINER),
    "serving": serving_pod,
    "serving with capture": lambda: serving_pod(capture={"samplingRatio": 1}),
    "serving with a token": lambda: serving_pod(feedback={"tokenSecretRef": {"name": "labels", "key": "t"}}),
}
every_pod = pytest.mark.parametrize("make", PODS.values(), ids=PODS)


def containers(pod: Manifest) -> Iterator[Manifest]:
    """All containers of a pod, the init containers first."""
    yield from pod["initContainers"]
    yield from pod["containers"]


def mounts(pod: Manifest, name: str) -> dict[str, bool]:
    """The mount paths of a container, each with True if it is writable."""
    container = next(found for found in containers(pod) if found["name"] == name)
    return {entry["mountPath"]: not entry.get("readOnly", False) for entry in container["volumeMounts"]}


def variables(pod: Manifest, name: str) -> dict[str, str]:
    """The environment variables of a container, by name."""
    container = next(found for found in containers(pod) if found["name"] == name)
    return {entry["name"]: entry.get("value", "") for entry in container["env"]}


@every_pod
def test_pods_meet_the_restricted_pod_security_standard(make: Any) -> None:
    """Pods run as non-root without privileges or capabilities, with a seccomp profile and allowed volume types."""
    pod = make()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 10_000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    for container in containers(pod):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["readOnlyRootFilesystem"] is True
        assert "privileged" not in security
    assert all(set(volume) <= {"name", "emptyDir", "persistentVolumeClaim", "secret"} for volume in pod["volumes"])


@every_pod
def test_pods_have_no_service_account_token(make: Any) -> None:
    """No pod calls the API server, so none gets a service account token or service environment variables."""
    pod = make()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False


@every_pod
def test_every_container_has_resources_and_a_termination_message_policy(make: Any) -> None:
    """By default, each container has a memory limit, and the end of its log is kept as the termination message."""
    for container in containers(make()):
        assert container["resources"]["requests"]["cpu"]
        assert container["resources"]["limits"]["memory"]
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


@every_pod
def test_every_folder_on_the_disk_or_in_the_memory_of_the_node_has_a_size_limit(make: Any) -> None:
    """A pod that writes more is evicted, instead of filling the disk of the node for all its pods."""
    folders = [volume["emptyDir"] for volume in make()["volumes"] if "emptyDir" in volume]
    assert folders
    assert all(re.fullmatch("[1-9][0-9]*[KMG]i", folder["sizeLimit"]) for folder in folders)


@every_pod
def test_mounts_and_volumes_match(make: Any) -> None:
    """Each mount refers to a volume of the pod, and each volume is mounted."""
    pod = make()
    used = {entry["name"] for container in containers(pod) for entry in container["volumeMounts"]}
    assert used == {volume["name"] for volume in pod["volumes"]}


def test_the_users_container_keeps_image_command_and_environment() -> None:
    """The user sets image, command, arguments and environment; the operator sets security context and mounts."""
    train = next(found for found in containers(training_pod(trainer=OWN_CONTAINER)) if found["name"] == "train")
    assert (train["image"], train["command"], train["args"]) == ("own:1", ["own"], [])
    assert train["env"] == [{"name": "HOME", "value": "/tmp"}, {"name": "A", "value": "b"}]
    assert train["securityContext"] == podspec.container_security()


def test_the_serving_container_has_no_store_without_capture() -> None:
    """Only fetch mounts the store; serve reads the verified copy and the key of the model line, both read-only."""
    pod = serving_pod()
    assert mounts(pod, "fetch") == {STORE_DIR: True, "/models": True, "/keys": True}
    assert mounts(pod, "serve") == {"/models": False, "/keys": False, "/run/bento": True}
    assert variables(pod, "fetch")[ENV_SERVING] == variables(pod, "serve")[ENV_SERVING]


def test_the_key_of_the_model_line_is_in_memory_and_in_no_training_pod() -> None:
    """Nobody but a serving pod needs it, and it is not on the disk of a node."""
    (volume,) = [volume for volume in serving_pod()["volumes"] if volume["name"] == "key"]
    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": "64Ki"}
    pod = training_pod()
    assert "/keys" not in {path for container in containers(pod) for path in mounts(pod, container["name"])}


def test_the_token_of_feedback_is_a_file_of_the_serve_container() -> None:
    """It is not an environment variable and not mounted by subPath, so that a changed Secret reaches the pod.

    A missing Secret does not keep the pod from starting: then its status would not say why.
    """
    pod = serving_pod(feedback={"tokenSecretRef": {"name": "labels", "key": "t"}})
    (volume,) = [volume for volume in pod["volumes"] if "secret" in volume]
    assert volume["secret"] == {
        "secretName": "labels",
        "items": [{"key": "t", "path": "token"}],
        "defaultMode": 0o440,
        "optional": True,
    }
    (mounted,) = [entry for entry in pod["containers"][0]["volumeMounts"] if entry["name"] == volume["name"]]
    assert mounted == {"name": "feedback-token", "mountPath": "/feedback", "readOnly": True}
    assert "/feedback" not in mounts(pod, "fetch")
    config = ServingConfig.read(variables(pod, "serve")[ENV_SERVING])
    assert config.feedback == FeedbackConfig(secret="labels", key="t")  # noqa: S106 - a name
    assert not [volume for volume in serving_pod()["volumes"] if "secret" in volume]
    assert "feedback" not in variables(serving_pod(), "serve")[ENV_SERVING]


@pytest.mark.parametrize(
    "reference",
    [
        {},
        {"name": "labels"},
        {"name": "labels", "key": ""},
        {"name": "labels", "key": ".."},
        {"name": "labels", "key": "../token"},
        {"name": "labels", "key": "a/b"},
        {"name": "team-b/labels", "key": "t"},
        {"name": "labels", "key": "t", "namespace": "team-b"},
    ],
)
def test_a_token_of_another_place_is_refused(reference: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModelDeploymentSpec.model_validate(
            {"model": {"track": {"name": "rain"}}, "feedback": {"tokenSecretRef": reference}}
        )


def test_a_strict_deployment_has_strict_pods() -> None:
    """By default, the configuration does not name the field, so an upgrade of the operator restarts no pod."""
    strict = serving_pod(serving={"strict": True})
    assert ServingConfig.read(variables(strict, "serve")[ENV_SERVING]).strict is True
    for pod in (serving_pod(), serving_pod(serving={"strict": False})):
        assert "strict" not in variables(pod, "serve")[ENV_SERVING]


def test_with_capture_the_serving_container_mounts_its_own_folder_only() -> None:
    """With capture, serve mounts only its own folder of the store."""
    pod = serving_pod(capture={"samplingRatio": 1})
    assert mounts(pod, "fetch")[STORE_DIR] is True
    serve = pod["containers"][0]
    assert [m.get("subPath") for m in serve["volumeMounts"] if m["mountPath"] == CAPTURE_DIR] == [
        "weather/rain/captured/m"
    ]


def test_final_exit_codes_fail_the_job_and_disruptions_do_not_count() -> None:
    """An exit code that a retry would repeat fails the Job; an eviction does not count as a failure."""
    world = World.of(training_job(), {"kind": "PersistentVolumeClaim", "metadata": {"name": "rows", "uid": "rows"}})
    job = world.plan("TrainingJob", "t").create[-1]
    refuse, ignore = job["spec"]["podFailurePolicy"]["rules"]
    assert refuse["action"] == "FailJob"
    codes = {ExitCode.DATA_REFUSED, ExitCode.GATE_FAILED, ExitCode.BAD_CONFIGURATION}
    assert set(refuse["onExitCodes"]["values"]) == codes
    assert (ignore["action"], ignore["onPodConditions"][0]["type"]) == ("Ignore", "DisruptionTarget")
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert "ttlSecondsAfterFinished" not in job["spec"]


RESOURCES = {
    "not set: a copy of the default": (None, {"requests": {"cpu": "1"}}),
    "set: exactly as set": (ResourceRequirements(requests={"memory": "1Gi"}), {"requests": {"memory": "1Gi"}}),
    "set but empty: no resources": (ResourceRequirements(), {}),
}


@pytest.mark.parametrize(("wanted", "want"), RESOURCES.values(), ids=RESOURCES)
def test_resources_are_the_users_or_the_default(wanted: ResourceRequirements | None, want: Manifest) -> None:
    """Resources that the user sets are used unchanged; the default is not merged in and never modified."""
    default = {"requests": {"cpu": "1"}}
    found = podspec.resources(wanted, default)
    assert found == want
    found.setdefault("requests", {})["cpu"] = "changed"
    assert default == {"requests": {"cpu": "1"}}


def _template(world: World, kind: str, name: str, child: str) -> Manifest:
    plan = world.plan(kind, name)
    found = next(manifest for manifest in (*plan.create, *plan.apply) if manifest["kind"] == child)
    return dict(found["spec"]["template"]["spec"])


def test_the_traffic_port_is_configured_only_if_it_differs_from_the_defaults() -> None:
    """So that the defaults of the API and of the pod are the same, and an upgrade replaces no pods for their sake."""
    configs = {
        name: ServingConfig.read(variables(serving_pod(serving=spec), "serve")[ENV_SERVING]).http
        for name, spec in {
            "defaults": {},
            "written out": {"keepAliveSeconds": 75, "maxConnections": 1000, "accessLog": "Errors"},
            "other": {
                "keepAliveSeconds": 620,
                "maxConnections": 64,
                "cors": {"allowedOrigins": ["https://app.example", "http://localhost:8000"]},
                "accessLog": "All",
            },
        }.items()
    }
    assert (configs["defaults"], configs["written out"]) == (None, None)
    assert configs["other"] == HttpConfig(
        keep_alive_seconds=620,
        max_connections=64,
        allowed_origins=("https://app.example", "http://localhost:8000"),
        access_log="All",
    )


@pytest.mark.parametrize(
    "serving",
    [
        {"keepAliveSeconds": 0},
        {"maxConnections": 7},
        {"accessLog": "all"},
        {"cors": {}},
        {"cors": {"allowedOrigins": ["app.example"]}},
        {"cors": {"allowedOrigins": ["https://app.example/path"]}},
        {"cors": {"allowedOrigins": ["https://app.example "]}},
        {"cors": {"allowedOrigins": ["*.example.com"]}},
    ],
)
def test_an_invalid_traffic_port_is_refused(serving: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Serving.model_validate(serving)
