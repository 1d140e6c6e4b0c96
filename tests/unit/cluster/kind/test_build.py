"""How a Docker client is asked to build, and what a build gets of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.cluster.host.errors import ClusterError
from tools.cluster.images import secrets
from tools.cluster.kind import build
from tools.cluster.kind.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

_LINUX = Engine(client=(20, 10), context="default")
_DESKTOP = Engine(client=(29, 0), context="desktop-linux", system="Docker Desktop")
_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def test_the_engines_own_builder_is_used() -> None:
    """A user's builder in a container of its own would keep the image to itself."""
    assert build.build_environment(_DESKTOP)["BUILDX_BUILDER"] == "desktop-linux"
    assert build.build_environment(_LINUX)["DOCKER_BUILDKIT"] == "1"


def test_proxies_are_passed_by_name_alone() -> None:
    """Their values can hold a password: neither the command line nor the image's history gets them."""
    environ = {"HTTPS_PROXY": "http://me:secret@proxy.example:3128", "no_proxy": "", "PATH": "/bin"}
    assert build.build_arguments(environ) == ["--build-arg=HTTPS_PROXY"]


def test_another_base_image_can_be_named() -> None:
    """For machines that reach no image registry."""
    assert build.build_arguments({build.BASE_VARIABLE: "mine:1"}) == ["--build-arg=BASE=mine:1"]


@pytest.mark.parametrize(
    ("configuration", "environ"),
    [
        ("[global]\nindex-url = http://127.0.0.1:3141/simple/\n", {}),
        ("[global]\nproxy = localhost:3128\n", {}),
        ("[global]\n", {"https_proxy": "http://[::1]:3128"}),
    ],
)
def test_a_build_reaches_an_index_on_the_loopback_address(configuration: str, environ: dict[str, str]) -> None:
    """A bridged build has a loopback address of its own; a virtual machine too, and there is no way out of it."""
    assert build.network_options(configuration, environ, _LINUX) == ["--network=host"]
    with pytest.raises(ClusterError, match=r"host\.docker\.internal"):
        build.network_options(configuration, environ, _DESKTOP)


def test_a_build_has_a_network_of_its_own_otherwise() -> None:
    """Exceptions from a proxy name loopback addresses on most machines."""
    configuration = "[global]\nindex-url = https://index.example/simple\n"
    assert build.network_options(configuration, {"NO_PROXY": "localhost,127.0.0.1"}, _DESKTOP) == []


def test_certificates_lose_their_comments(tmp_path: Path) -> None:
    """A bundle is most often comments, and a secret has a limit."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("# Issuer: somebody\n" * 40_000 + _CERTIFICATE + "\n# another\n" + _CERTIFICATE.rstrip())
    assert secrets.certificates(bundle) == 2 * _CERTIFICATE


def test_too_many_certificates_are_refused_with_their_number(tmp_path: Path) -> None:
    """BuildKit would refuse them after the build began, with an error that names no file."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(_CERTIFICATE * 9_000)
    with pytest.raises(ClusterError, match=r"bundle\.pem\) has 531,000 bytes of certificates, but at most 512,000 fit"):
        secrets.certificates(bundle)


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    """The path comes from the user's settings."""
    with pytest.raises(ClusterError, match=r"nowhere\.pem\): No such file"):
        secrets.certificates(tmp_path / "nowhere.pem")


_PLAIN = """\
#1 [internal] load build definition from operator.Dockerfile
#6 [builder 2/3] COPY requirements/operator.txt /requirements.txt
#6 CACHED
#7 [builder 3/3] RUN python3 -m venv /opt/venv &&     pip install
#7 14.2 something said
#8 [compiled 2/3] COPY operator/perennate /opt/perennate/perennate
#8 sha256:3b4a11519ad929d1e1d261a12cff056f0c85b735253d7d861346b9c6f8b36437
#8 CACHED
#9 [dependencies 4/4] WORKDIR /tmp
#7 DONE 15.1s
"""


def test_progress_tells_of_the_steps_that_take_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Steps that the engine has already, and those that only set something, are noise."""
    progress = build.Progress()
    for line in _PLAIN.splitlines():
        progress(line)
    told = [line.split("s  ", 1)[1].strip() for line in capsys.readouterr().err.splitlines()]
    assert told == ["[builder 3/3] RUN python3 -m venv /opt/venv && pip install"]
