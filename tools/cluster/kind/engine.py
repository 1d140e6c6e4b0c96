"""Facts about the Docker client and its engine. `requirements` checks them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

#: An engine that hangs counts as one that does not answer.
_TIMEOUT_SECONDS = 20.0
_LOCAL = ("unix://", "npipe://", "tcp://127.0.0.1:", "tcp://localhost:", "tcp://[::1]:")


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker client on PATH and, if it answers, its engine.

    Attributes:
        client: version of the client; (0, 0) if unknown.
        podman: the client is Podman's emulation of Docker.
        buildx: the client has the buildx plugin.
        context: name of the client's context, which is also the name of the engine's own builder.
        endpoint: address of the engine, such as "unix:///var/run/docker.sock".
        error: the client's error if the engine does not answer; None if it does.
        version: version of the engine.
        system: operating system of the engine, such as "Docker Desktop".
        memory: bytes of memory available to containers.
        cgroups: cgroup version of the engine, 1 or 2.
        rootless: the engine runs without root.
        limits: the engine can limit CPU, memory and processes of a container.
    """

    client: tuple[int, int]
    podman: bool = False
    buildx: bool = False
    context: str = "default"
    endpoint: str = ""
    error: str | None = None
    version: tuple[int, int] = (0, 0)
    system: str = ""
    memory: int = 0
    cgroups: int = 2
    rootless: bool = False
    limits: bool = True

    @property
    def remote(self) -> bool:
        """Whether the engine is on another machine."""
        return bool(self.endpoint) and not self.endpoint.startswith(_LOCAL)

    @property
    def denied(self) -> bool:
        """Whether the user has no permission to use the engine."""
        return self.error is not None and "permission denied" in self.error.lower()

    @property
    def desktop(self) -> bool:
        """Whether the engine is Docker Desktop, which runs in a virtual machine."""
        return "docker desktop" in self.system.lower()


def observe() -> Engine | None:
    """Query the `docker` on PATH and its engine. None if there is no such program."""
    if shutil.which("docker") is None:
        return None
    name, _ = _docker("--version")
    if "podman" in name.lower():
        return Engine(client=version(name), podman=True)
    endpoint, _ = _docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    unasked = Engine(client=version(name), endpoint=endpoint, error="it was not queried")
    if unasked.remote:
        # A remote engine is not supported, and may take a minute to time out.
        return unasked
    versions, errors = _docker("version", "--format", "{{json .}}")
    # Do not wait a second time for an engine that does not answer.
    info = _docker("info", "--format", "{{json .}}")[0] if _document(versions).get("Server") else ""
    return parse(versions, errors, info, endpoint)


def _docker(*words: str) -> tuple[str, str]:
    """Return stdout and stderr of a docker command, even if it fails."""
    try:
        done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "", f"`docker {words[0]}` did not answer within {_TIMEOUT_SECONDS:.0f} s"
    except OSError as error:
        return "", str(error)
    return done.stdout.strip(), done.stderr.strip()


def parse(versions: str, errors: str, info: str, endpoint: str) -> Engine:
    """Return the engine that the outputs of the docker commands describe.

    Args:
        versions: standard output of `docker version --format '{{json .}}'`.
        errors: its standard error.
        info: standard output of `docker info --format '{{json .}}'`.
        endpoint: address of the engine.
    """
    document = _document(versions)
    client, server = document.get("Client") or {}, document.get("Server")
    facts = _document(info)
    own = facts.get("ClientInfo") or {}
    security = facts.get("SecurityOptions") or []
    return Engine(
        client=version(str(client.get("Version", ""))),
        buildx=any(plugin.get("Name") == "buildx" for plugin in own.get("Plugins") or []),
        context=str(own.get("Context") or client.get("Context") or "default"),
        endpoint=endpoint,
        error=None if server else _last_line(errors) or "no answer",
        version=version(str((server or {}).get("Version", ""))),
        system=str(facts.get("OperatingSystem", "")),
        memory=int(facts.get("MemTotal") or 0),
        cgroups=1 if str(facts.get("CgroupVersion") or "2") == "1" else 2,
        rootless=any("name=rootless" in option for option in security),
        limits=all(facts.get(name, True) for name in ("MemoryLimit", "PidsLimit", "CpuCfsQuota")),
    )


def version(text: str) -> tuple[int, int]:
    """Return (major, minor) of the first version in `text`; (0, 0) if there is none."""
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
