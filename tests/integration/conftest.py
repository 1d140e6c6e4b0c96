"""Fixtures of the level that needs a real API server but no node."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster.apiserver import ControlPlane
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

_CRDS = sorted((Path(__file__).parents[2] / "crds").glob("perennate.dev_*.yaml"))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One API server with our CRDs for the whole session; a test keeps to a namespace of its own."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), crds=_CRDS) as plane:
        yield plane


@pytest.fixture
def own_plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """An API server with our CRDs for one test, that no other test and no other operator writes to."""
    with ControlPlane(tmp_path / "plane", crds=_CRDS) as plane:
        yield plane


@pytest.fixture(scope="session")
def user(control_plane: ControlPlane) -> KubeUser:
    """Somebody who may do everything."""
    return KubeUser(control_plane.kubeconfig)


@pytest.fixture
def namespace(user: KubeUser, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own. It is left behind: the control plane goes with the session."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    return user.ensure_namespace(f"{words}-{uuid.uuid4().hex[:6]}")


@pytest.fixture(scope="session")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator as a process, for all tests that do not kill or count it."""
    log = tmp_path_factory.mktemp("operator") / "log"
    with OperatorProcess(control_plane.kubeconfig, log) as process:
        yield process
