"""The boundaries within a training pod: what each stage can read and write, and what a user's container can set."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from perennate.api.documents.run_request import RunRequest
from perennate.api.documents.run_spec import TrainData
from perennate.api.wellknown import (
    DATA_DIR,
    ENV_RUN_REQUEST,
    OUT_DIR,
    PREPARED_DIR,
    RECORD_DIR,
    STAGES,
    STORE_DIR,
)
from tests.support.tree import ROOT
from tests.unit.builders.test_pods import OWN_CONTAINER, Manifest, mounts, training_pod, variables

TRAINERS = {"estimator": {}, "own container": {"trainer": OWN_CONTAINER}}
every_trainer = pytest.mark.parametrize("spec", TRAINERS.values(), ids=TRAINERS)
OUR_VARIABLES = {"HOME", "PYTHONSAFEPATH", ENV_RUN_REQUEST}


def container(pod: Manifest, name: str) -> Manifest:
    """A container of a pod."""
    found = [*pod["initContainers"], *pod["containers"]]
    return next(entry for entry in found if entry["name"] == name)


def writable(pod: Manifest, name: str) -> set[str]:
    """The volumes that a container can write to."""
    return {entry["name"] for entry in container(pod, name)["volumeMounts"] if not entry.get("readOnly")}


@every_trainer
def test_no_two_stages_can_write_to_the_same_volume(spec: Manifest) -> None:
    """A file that one stage leaves for another is read-only there. Each has its own /tmp.

    The containers of a pod share /dev/shm unless it is a volume.
    """
    pod = training_pod(**spec)
    for one, other in combinations(STAGES, 2):
        assert writable(pod, one) & writable(pod, other) == set()
    assert "/dev/shm" in mounts(pod, "publish")


@every_trainer
def test_each_stage_sees_what_it_needs(spec: Manifest) -> None:
    """The train stage, maybe with a user's code, sees no store, no data claim, no hold-out rows and no request."""
    pod = training_pod(**spec)
    tmp = {"/tmp": True}
    assert mounts(pod, "prepare") == {
        PREPARED_DIR: True,
        RECORD_DIR: True,
        STORE_DIR: False,
        DATA_DIR: False,
        **tmp,
    }
    assert mounts(pod, "train") == {PREPARED_DIR: False, OUT_DIR: True, **tmp}
    assert mounts(pod, "publish") == {
        PREPARED_DIR: False,
        RECORD_DIR: False,
        OUT_DIR: False,
        STORE_DIR: True,
        "/dev/shm": True,
        **tmp,
    }
    assert ENV_RUN_REQUEST not in variables(pod, "train")
    assert variables(pod, "prepare")[ENV_RUN_REQUEST] == variables(pod, "publish")[ENV_RUN_REQUEST]


@every_trainer
def test_our_stages_start_in_a_folder_that_nobody_can_write_to(spec: Manifest) -> None:
    """Python would import modules from the working directory. An image cannot undo these settings."""
    pod = training_pod(**spec)
    for name in {"prepare", "publish"} | ({"train"} if not spec else set()):
        stage = container(pod, name)
        assert stage["workingDir"] == "/"
        assert "/" not in mounts(pod, name)
        assert variables(pod, name)["PYTHONSAFEPATH"] == "1"
        assert "command" not in stage


HOSTILE_VARIABLES = (
    *("PYTHONSAFEPATH", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "HOME"),
    *("TMPDIR", "JOBLIB_TEMP_FOLDER", "NUMBA_CACHE_DIR", "MPLCONFIGDIR", "PERENNATE_RUN_REQUEST", "PERENNATE_RUN_DIR"),
    *("PERENNATE_STORE_DIR", "PERENNATE_TERMINATION_LOG"),
)


def test_variables_of_a_users_container_reach_no_other_stage() -> None:
    """In its own container, a user can set all of them, and nothing is added but a home that is writable."""
    env = [{"name": name, "value": "/perennate/out"} for name in HOSTILE_VARIABLES]
    pod = training_pod(trainer={"container": {"image": "own:1", "env": env}})
    assert variables(pod, "train") == dict.fromkeys(HOSTILE_VARIABLES, "/perennate/out")
    for name in ("prepare", "publish"):
        assert set(variables(pod, name)) == OUR_VARIABLES
        assert variables(pod, name)["HOME"] == "/tmp"


def test_a_users_container_starts_in_the_folder_of_its_image() -> None:
    """`python train.py` and `python -m train` must find the modules beside."""
    train = container(training_pod(trainer=OWN_CONTAINER), "train")
    assert "workingDir" not in train
    assert "PYTHONSAFEPATH" not in {entry["name"] for entry in train["env"]}


DISK: dict[str, tuple[Manifest | None, str, str | None]] = {
    "nothing set": (None, "10Gi", "0"),
    "other resources set": ({"limits": {"memory": "4Gi"}}, "10Gi", "0"),
    "a limit": ({"limits": {"ephemeral-storage": "200Gi"}}, "200Gi", None),
    "a request": ({"requests": {"ephemeral-storage": "20Gi"}}, "20Gi", "20Gi"),
    "both": ({"requests": {"ephemeral-storage": "1Gi"}, "limits": {"ephemeral-storage": "2Gi"}}, "2Gi", "1Gi"),
    "empty resources": ({}, "10Gi", "0"),
}


@pytest.mark.parametrize("case", DISK)
def test_the_disk_of_a_run_is_bounded_by_the_limit_of_ephemeral_storage(case: str) -> None:
    """Kubernetes adds up all volumes and logs of a pod against the largest limit of its containers.

    Without a request, Kubernetes would set the limit as the request, and nodes that do not measure disks fit no pod.
    """
    resources, limit, request = DISK[case]
    pod = training_pod(**({} if resources is None else {"resources": resources}))
    on_disk = [v["emptyDir"] for v in pod["volumes"] if "emptyDir" in v and "medium" not in v["emptyDir"]]
    assert [folder["sizeLimit"] for folder in on_disk] == [limit] * 6
    for name in STAGES:
        found = container(pod, name)["resources"]
        assert found["limits"]["ephemeral-storage"] == limit
        assert found.get("requests", {}).get("ephemeral-storage") == request


@pytest.mark.parametrize("image", ["operator", "serving", "trainer"])
def test_programs_of_our_images_import_nothing_from_folders_that_they_can_write_to(image: str) -> None:
    """Not from the working directory, which belongs to root, and not from the packages of a user."""
    lines = (ROOT / "images" / f"{image}.Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("WORKDIR")] == ["WORKDIR /"]
    (entrypoint,) = (line for line in lines if line.startswith("ENTRYPOINT"))
    assert entrypoint.startswith('ENTRYPOINT ["python", "-P", "-s", "-m", "perennate.')
    assert any("PYTHONSAFEPATH=1" in line for line in lines)


def expanded(value: str, known: dict[str, str]) -> str:
    """The value of a variable as the kubelet passes it on: `$(NAME)` of an earlier variable, and `$$`, are replaced."""
    found, rest = "", value
    while "$" in rest:
        before, _, rest = rest.partition("$")
        found += before
        name, closed, after = rest[1:].partition(")")
        if rest.startswith("$"):
            found, rest = found + "$", rest[1:]
        elif rest.startswith("(") and closed:
            found, rest = found + known.get(name, f"$({name})"), after
        else:
            found += "$"
    return found + rest


def test_the_rule_of_the_kubelet() -> None:
    """The cases of its documentation."""
    known = {"A": "1"}
    cases = {"$(A)": "1", "$(B)": "$(B)", "$$(A)": "$(A)", "$$$(A)": "$1", "$A": "$A", "$(A": "$(A", "a$": "a$"}
    assert {value: expanded(value, known) for value in cases} == cases


HOSTILE_TEXTS = (
    *("$(HOME)", "$$", "$$(HOME)", "$(PYTHONSAFEPATH)", "$(", "a$", "\\$(HOME)", "\\\\$$", "$(HOME", '"$(HOME)"'),
    "$($(HOME)",
)


def received(pod: Manifest, name: str, variable: str) -> str:
    """An environment variable as the program in the container reads it."""
    known: dict[str, str] = {}
    for entry in container(pod, name)["env"]:
        known[entry["name"]] = expanded(entry.get("value", ""), known)
    return known[variable]


def test_the_kubelet_changes_nothing_in_a_run_request() -> None:
    """Names of columns, parameters and paths may contain what Kubernetes reads as a reference to a variable."""
    spec: dict[str, Any] = {
        "data": {"train": {"uri": "pvc://rows/$(HOME)/$$.csv"}, "target": "$(HOME)", "features": list(HOSTILE_TEXTS)},
        "trainer": {"estimator": {"class": "sklearn.svm.SVC", "params": {"kernel": "$(HOME)$$", "names": ["$(HOME)"]}}},
    }
    pod = training_pod(**spec)
    for name in ("prepare", "publish"):
        request = RunRequest.read(received(pod, name, ENV_RUN_REQUEST))
        assert request.spec.data.features == HOSTILE_TEXTS
        assert request.spec.data.target == "$(HOME)"
        assert request.spec.data.train == TrainData(uri="pvc://rows/$(HOME)/$$.csv")
        assert request.spec.trainer.estimator is not None
        assert request.spec.trainer.estimator.params == spec["trainer"]["estimator"]["params"]
