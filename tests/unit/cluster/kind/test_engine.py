"""Parsing of docker's outputs, recorded from clients 20.10 and 28.2, or taken from Docker's documentation."""

from __future__ import annotations

import json

from tools.cluster.kind import engine

_ENDPOINT = "unix:///var/run/docker.sock"
_SERVER = {"Version": "20.10.24+dfsg1", "Os": "linux", "Arch": "amd64"}
_INFO = {
    "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
    "MemTotal": 25_200_000_000,
    "CgroupVersion": "1",
    "MemoryLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "SecurityOptions": ["name=seccomp,profile=default"],
    "ClientInfo": {"Debug": False, "Context": "default", "Plugins": [], "Warnings": None},
}


def _versions(client: str, server: dict[str, str] | None) -> str:
    return json.dumps({"Client": {"Version": client, "Context": "default"}, "Server": server})


def test_the_output_of_an_available_engine_is_parsed() -> None:
    """Client, engine, memory and cgroup version are parsed."""
    found = engine.parse(_versions("20.10.24+dfsg1", _SERVER), "", json.dumps(_INFO), _ENDPOINT)
    assert found == engine.Engine(
        client=(20, 10),
        endpoint=_ENDPOINT,
        version=(20, 10),
        system="Debian GNU/Linux 12 (bookworm)",
        memory=25_200_000_000,
        cgroups=1,
    )


def test_buildx_is_detected_among_the_plugins() -> None:
    plugins = [{"Name": "compose"}, {"Name": "buildx", "Version": "v0.29.0"}]
    info = {**_INFO, "ClientInfo": {"Context": "colima", "Plugins": plugins}}
    found = engine.parse(_versions("28.2.2", _SERVER), "", json.dumps(info), _ENDPOINT)
    assert (found.buildx, found.context, found.client) == (True, "colima", (28, 2))
    assert not engine.parse(_versions("28.2.2", _SERVER), "", json.dumps(_INFO), _ENDPOINT).buildx


def test_without_an_engine_the_error_is_that_of_the_client() -> None:
    """Client 28 then prints a document of zeros, and 20.10 only the client part. Both give the same error here."""
    message = f"Cannot connect to the Docker daemon at {_ENDPOINT}. Is the docker daemon running?"
    for info in ('{"MemTotal":0,"SecurityOptions":null,"ClientInfo":{"Plugins":null}}', '{"ServerErrors":["x"]}', ""):
        found = engine.parse(_versions("28.2.2", None), f"\n{message}\n", info, _ENDPOINT)
        assert (found.denied, found.error) == (False, message)


def test_an_engine_that_times_out_has_an_error() -> None:
    """A client that hangs prints nothing."""
    found = engine.parse("", "`docker version` gave no answer within 20 s", "", "")
    assert found.error == "`docker version` gave no answer within 20 s"
    assert engine.parse("", "", "", "").error == "no answer"


def test_permission_denied_is_detected() -> None:
    """In the old and in the new error message of the client."""
    for message in (
        "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock",
    ):
        assert engine.parse(_versions("28.2.2", None), message, "", _ENDPOINT).denied


def test_docker_desktop_and_rootless_engines_are_recognised() -> None:
    """By their documented fields."""
    info = {**_INFO, "OperatingSystem": "Docker Desktop", "CgroupVersion": "2"}
    assert engine.parse(_versions("29.0.1", _SERVER), "", json.dumps(info), _ENDPOINT).desktop
    info = {**_INFO, "SecurityOptions": ["name=seccomp", "name=rootless"], "PidsLimit": False}
    found = engine.parse(_versions("29.0.1", _SERVER), "", json.dumps(info), _ENDPOINT)
    assert (found.rootless, found.limits, found.desktop) == (True, False, False)
