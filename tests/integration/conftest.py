"""Fixtures for tests that need a real API server but no node."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.cluster.apiserver import InstalledPlane
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

_API_SERVER_FOR_EACH_TEST = {
    *("test_crashes.py", "test_crashes_retraining.py", "test_outages.py"),
    *("test_stale_watch.py", "test_two_operators.py", "test_watch_namespaces.py", "test_window.py"),
}
_API_SERVER_FOR_THE_FILE = {
    "test_admission_policy.py",
    "test_api_contract.py",
    "test_control_plane.py",
    "test_permissions.py",
}


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Runs tests that share an API server in one worker, so that they share fixtures; the others run anywhere."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder, name = Path(file).parent.name, Path(file).name
        if folder == "admission":
            return folder
        if folder != "integration" or name in _API_SERVER_FOR_THE_FILE:
            return file
        return nodeid if name in _API_SERVER_FOR_EACH_TEST else "shared API server"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    """Distribute the tests of this folder by the API servers that they use."""
    return Scheduler(config, log)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstalledPlane]:
    """One API server with our installation for the worker; each test uses a namespace of its own."""
    with InstalledPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane


@pytest.fixture(scope="module")
def quiet_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstalledPlane]:
    """An API server with our installation for one file: no operator writes to its objects."""
    with InstalledPlane(tmp_path_factory.mktemp("quiet-plane")) as plane:
        yield plane


@pytest.fixture
def own_plane(tmp_path: Path) -> Iterator[InstalledPlane]:
    """An API server with our installation for one test."""
    with InstalledPlane(tmp_path / "plane") as plane:
        yield plane


@pytest.fixture(scope="session")
def user(control_plane: InstalledPlane) -> KubeUser:
    """A user with all rights."""
    return KubeUser(control_plane.kubeconfig)


@pytest.fixture
def namespace(user: KubeUser, request: pytest.FixtureRequest) -> str:
    """A namespace for the test. It is not deleted: the API server ends with the session."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    return user.ensure_namespace(f"{words}-{uuid.uuid4().hex[:6]}")


@pytest.fixture(scope="session")
def operator(control_plane: InstalledPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator as a process, for all tests that neither kill it nor count its calls."""
    log = tmp_path_factory.mktemp("operator") / "log"
    with OperatorProcess(control_plane.operator_kubeconfig, log) as process:
        yield process
