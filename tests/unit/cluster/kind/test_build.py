"""Options and environment of a Docker build."""

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
EPOCH = "--build-arg=SOURCE_DATE_EPOCH=0"
_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def test_the_builder_of_the_engine_is_used() -> None:
    """A custom builder in a container would not store the image in the engine."""
    assert build.build_environment(_DESKTOP)["BUILDX_BUILDER"] == "desktop-linux"
    assert build.build_environment(_LINUX)["DOCKER_BUILDKIT"] == "1"


def test_proxies_are_passed_by_name_only() -> None:
    """Their values may contain a password, which must not appear on the command line or in the image history."""
    environ = {"HTTPS_PROXY": "http://me:secret@proxy.example:3128", "no_proxy": "", "PATH": "/bin"}
    assert build.build_arguments(environ) == [EPOCH, "--build-arg=HTTPS_PROXY"]


def test_the_base_image_can_be_overridden() -> None:
    """For machines without access to an image registry."""
    assert build.build_arguments({build.BASE_VARIABLE: "mine:1"}) == [EPOCH, "--build-arg=BASE=mine:1"]


@pytest.mark.parametrize(
    ("configuration", "environ"),
    [
        ("[global]\nindex-url = http://127.0.0.1:3141/simple/\n", {}),
        ("[global]\nproxy = localhost:3128\n", {}),
        ("[global]\n", {"https_proxy": "http://[::1]:3128"}),
    ],
)
def test_host_networking_is_on_with_a_loopback_index(configuration: str, environ: dict[str, str]) -> None:
    """A bridged build has its own loopback address and needs host networking, which does not help in a VM."""
    assert build.network_options(configuration, environ, _LINUX) == ["--network=host"]
    with pytest.raises(ClusterError, match=r"host\.docker\.internal"):
        build.network_options(configuration, environ, _DESKTOP)


def test_host_networking_is_off_without_a_loopback_index() -> None:
    """NO_PROXY usually contains loopback addresses, which must not enable host networking."""
    configuration = "[global]\nindex-url = https://index.example/simple\n"
    assert build.network_options(configuration, {"NO_PROXY": "localhost,127.0.0.1"}, _DESKTOP) == []


def test_comments_of_certificates_are_removed(tmp_path: Path) -> None:
    """Most of a bundle may be comments, and the size of a secret is limited."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("# Issuer: somebody\n" * 40_000 + _CERTIFICATE + "\n# another\n" + _CERTIFICATE.rstrip())
    assert secrets.certificates(bundle) == 2 * _CERTIFICATE


def test_too_large_bundles_are_rejected_with_their_size(tmp_path: Path) -> None:
    """BuildKit would fail later, with an error that names no file."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(_CERTIFICATE * 9_000)
    with pytest.raises(ClusterError, match=r"bundle\.pem\) has 531,000 bytes of certificates, but at most 512,000 fit"):
        secrets.certificates(bundle)


def test_the_error_names_a_missing_bundle(tmp_path: Path) -> None:
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


def test_progress_shows_steps_that_take_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Cached steps and metadata steps are not printed."""
    progress = build.Progress()
    for line in _PLAIN.splitlines():
        progress(line)
    printed = [line.split("s  ", 1)[1].strip() for line in capsys.readouterr().err.splitlines()]
    assert printed == ["[builder 3/3] RUN python3 -m venv /opt/venv && pip install"]
