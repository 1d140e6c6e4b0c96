"""The kind cluster: it survives a restart, loads changed images, and is removed completely."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster.local_cluster import LocalCluster, chosen_provider
from tools.cluster.images import images
from tools.cluster.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.demo.cluster import Cluster

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(chosen_provider() != "kind", reason="no Docker engine answers, so there is no kind cluster"),
]

_INSTANCE = Instance.of("kind-test")
_CLUSTER = LocalCluster(_INSTANCE.name, provider="kind")
_NODE = f"{_INSTANCE.id}-control-plane"


def _docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def own() -> Iterator[LocalCluster]:
    """A cluster for these tests, which stop and break it. Each test begins with `up`."""
    yield _CLUSTER
    _CLUSTER.run("down")


def _container() -> str:
    return _docker("inspect", "--format={{.Id}}", _NODE)


@pytest.mark.parametrize("word", ["restart", "stop"])
def test_a_stopped_node_keeps_its_data(own: LocalCluster, word: str) -> None:
    """After a restart of the machine, the engine or the container, `up` waits for the node and keeps its data."""
    own.run("up")
    own.kubectl("create", "namespace", f"before-{word}")
    before = _container()
    _docker(word, "--time=5", _NODE)
    done = own.run("up")
    assert "is up already" in done.stderr
    assert "replacing" not in done.stderr
    assert _container() == before
    assert f"before-{word}" in {each["metadata"]["name"] for each in own.objects("namespaces")}


def test_a_deleted_kubeconfig_is_restored(own: LocalCluster) -> None:
    """The kubeconfig is in a cache, which may be emptied while the cluster runs."""
    own.run("up")
    kubeconfig = own.run("kubeconfig").stdout.strip()
    before = _container()
    subprocess.run(["rm", kubeconfig], check=True)
    assert own.command("status").returncode == 1
    own.run("up")
    assert _container() == before
    assert own.objects("nodes")


def test_an_image_is_loaded_once(cluster: Cluster) -> None:
    """A second load copies nothing; after a change only the changed image is loaded."""
    shared = LocalCluster()
    assert shared.run("load").stderr.count("is loaded already") == len(images.IMAGES)
    reference = images.reference("operator")
    original = _docker("image", "inspect", "--format={{.Id}}", reference)
    try:
        subprocess.run(
            ["docker", "build", "--quiet", "--tag", reference, "-"],
            input=f"FROM {reference}\nLABEL changed=yes\n",
            check=True,
            capture_output=True,
            text=True,
        )
        output = shared.run("load").stderr
        assert output.count("is loaded already") == len(images.IMAGES) - 1
        assert f"reading {reference} from Docker" in output
    finally:
        _docker("tag", original, reference)
        shared.run("load")


def test_the_error_names_an_unavailable_node_image() -> None:
    """The error also has the cause and says how to provide the image. Nothing is created."""
    missing = "perennate.invalid/node:v1.35.0"
    other = LocalCluster("no-image-test", provider="kind")
    done = other.command("up", KIND_NODE_IMAGE=missing)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1
    assert len(errors) == 1
    for word in (missing, "docker load --input", "KIND_NODE_IMAGE"):
        assert word in errors[0]
    assert other.command("status").returncode == 1


def test_an_invalid_node_image_is_reported_and_nothing_is_left(cluster: Cluster) -> None:
    """The start fails with the error of kind, and its container is removed."""
    other = LocalCluster("wrong-image-test", provider="kind")
    done = other.command("up", KIND_NODE_IMAGE=images.reference("operator"))
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1
    assert len(errors) == 1
    assert errors[0].startswith("error: Cannot create a kind cluster")
    assert "not started" in other.command("status").stderr


def test_an_unusable_engine_is_rejected_immediately(tmp_path: Path) -> None:
    """Without a client or an engine, the error is one sentence and nothing is created."""
    for environment, word in (
        ({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}, "No Docker engine answers"),
        ({"DOCKER_HOST": "ssh://me@192.0.2.1"}, "on another machine (ssh://me@192.0.2.1)"),
        ({"PATH": str(tmp_path)}, "no program `docker` on PATH"),
    ):
        done = LocalCluster("refused-test", provider="kind").command("up", **environment)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert word in done.stderr


def test_down_removes_what_up_created(own: LocalCluster) -> None:
    """No container and no kubeconfig is left. Resources that other clusters use stay."""
    own.run("up")
    own.run("down")
    assert _docker("ps", "--all", "--quiet", f"--filter=name={_NODE}") == ""
    assert not Path(own.run("kubeconfig").stdout.strip()).exists()
    others = json.loads(_docker("network", "inspect", "kind"))[0]["Containers"] if _kind_containers() else {}
    assert _kind_containers() or "kind" not in _docker("network", "ls", "--format={{.Name}}").split()
    assert _NODE not in str(others)


def _kind_containers() -> str:
    return _docker("ps", "--all", "--quiet", "--filter=network=kind")
