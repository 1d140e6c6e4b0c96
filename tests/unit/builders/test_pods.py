"""What holds for every pod of ours: the restricted pod security standard, and who sees which volume and secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from perennate.api.meta import ResourceRequirements
from perennate.api.wellknown import CAPTURE_DIR, DATA_DIR, ENV_RUN_REQUEST, ENV_SERVING, RUN_DIR, STORE_DIR, ExitCode
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
}
every_pod = pytest.mark.parametrize("make", PODS.values(), ids=PODS)


def containers(pod: Manifest) -> Iterator[Manifest]:
    """All containers of a pod, the init containers first."""
    yield from pod["initContainers"]
    yield from pod["containers"]


def mounts(pod: Manifest, name: str) -> dict[str, bool]:
    """Mount paths of a container, and whether it may write there."""
    container = next(found for found in containers(pod) if found["name"] == name)
    return {entry["mountPath"]: not entry.get("readOnly", False) for entry in container["volumeMounts"]}


def variables(pod: Manifest, name: str) -> dict[str, str]:
    """Plain environment variables of a container."""
    container = next(found for found in containers(pod) if found["name"] == name)
    return {entry["name"]: entry.get("value", "") for entry in container["env"]}


@every_pod
def test_pods_keep_the_restricted_standard(make: Any) -> None:
    """No root, no privilege, no capability, a seccomp profile, only volumes of the allowed types."""
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
    assert all(set(volume) <= {"name", "emptyDir", "persistentVolumeClaim"} for volume in pod["volumes"])


@every_pod
def test_pods_hold_no_token(make: Any) -> None:
    """No pod of ours talks to the API server, so none gets a token or the addresses of services."""
    pod = make()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False


@every_pod
def test_every_container_has_bounds_and_last_words(make: Any) -> None:
    """Memory is bounded unless the user says otherwise, and the last lines of a log survive a crash."""
    for container in containers(make()):
        assert container["resources"]["requests"]["cpu"]
        assert container["resources"]["limits"]["memory"]
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


@every_pod
def test_every_mount_has_its_volume(make: Any) -> None:
    """A mount names a volume of the pod, and no volume is there for nothing."""
    pod = make()
    used = {entry["name"] for container in containers(pod) for entry in container["volumeMounts"]}
    assert used == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("trainer", [None, OWN_CONTAINER], ids=["estimator", "own container"])
def test_the_train_stage_sees_neither_store_nor_request(trainer: Manifest | None) -> None:
    """User code reads the prepared rows and writes the model: no store, no data claim, no request."""
    pod = training_pod(**({"trainer": trainer} if trainer else {}))
    assert set(mounts(pod, "train")) == {RUN_DIR, "/tmp"}
    assert ENV_RUN_REQUEST not in variables(pod, "train")


def test_prepare_may_read_and_publish_may_write() -> None:
    """Data and store are read-only for prepare; only publish writes to the store, and it does not see the data."""
    pod = training_pod()
    assert mounts(pod, "prepare") == {RUN_DIR: True, "/tmp": True, STORE_DIR: False, DATA_DIR: False}
    assert mounts(pod, "publish") == {RUN_DIR: True, "/tmp": True, STORE_DIR: True}
    assert variables(pod, "prepare")[ENV_RUN_REQUEST] == variables(pod, "publish")[ENV_RUN_REQUEST]


def test_the_users_container_keeps_only_its_own_words() -> None:
    """Image, command, arguments and environment are the user's; rights, mounts and resources are ours."""
    train = next(found for found in containers(training_pod(trainer=OWN_CONTAINER)) if found["name"] == "train")
    assert (train["image"], train["command"], train["args"]) == ("own:1", ["own"], [])
    assert train["env"] == [{"name": "HOME", "value": "/tmp"}, {"name": "A", "value": "b"}]
    assert train["securityContext"] == podspec.container_security()


def test_the_serving_container_sees_no_store_without_capture() -> None:
    """The verified copy is read-only; the store is only there for fetch, and read-only too."""
    pod = serving_pod()
    assert mounts(pod, "fetch") == {STORE_DIR: False, "/models": True}
    assert mounts(pod, "serve") == {"/models": False, "/run/bento": True}
    assert variables(pod, "fetch")[ENV_SERVING] == variables(pod, "serve")[ENV_SERVING]


def test_capture_gives_the_serving_container_its_own_folder_only() -> None:
    """With capture, serve sees one folder of the store, which fetch may create."""
    pod = serving_pod(capture={"samplingRatio": 1})
    assert mounts(pod, "fetch")[STORE_DIR] is True
    serve = pod["containers"][0]
    assert [m.get("subPath") for m in serve["volumeMounts"] if m["mountPath"] == CAPTURE_DIR] == [
        "weather/rain/captured/m"
    ]


def test_refusals_end_the_job_and_disruptions_do_not_count() -> None:
    """Exit codes that another pod would repeat end the Job; an eviction is nobody's failure."""
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
    "none given: the default, copied": (None, {"requests": {"cpu": "1"}}),
    "given: exactly those": (ResourceRequirements(requests={"memory": "1Gi"}), {"requests": {"memory": "1Gi"}}),
    "given empty: none": (ResourceRequirements(), {}),
}


@pytest.mark.parametrize(("wanted", "want"), RESOURCES.values(), ids=RESOURCES)
def test_resources_are_the_users_or_the_default(wanted: ResourceRequirements | None, want: Manifest) -> None:
    """A user who gives resources gets exactly those: nothing of the default is mixed in."""
    default = {"requests": {"cpu": "1"}}
    found = podspec.resources(wanted, default)
    assert found == want
    found.setdefault("requests", {})["cpu"] = "changed"
    assert default == {"requests": {"cpu": "1"}}


def _template(world: World, kind: str, name: str, child: str) -> Manifest:
    plan = world.plan(kind, name)
    found = next(manifest for manifest in (*plan.create, *plan.apply) if manifest["kind"] == child)
    return dict(found["spec"]["template"]["spec"])
