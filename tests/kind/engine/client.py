"""The Docker client of Debian, for one engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.kind.engine.requirements import CLIENT
from tools.cluster.host.commands import run, succeeds

if TYPE_CHECKING:
    from pathlib import Path

#: Environment variables that would select another engine.
FOREIGN = ("DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION")


class Client:
    """Commands to the engine behind `socket`."""

    def __init__(self, socket: Path) -> None:
        self.host = f"unix://{socket}"
        #: An empty folder, so that no proxies, credentials, plugins or default flags of the user apply.
        self.configuration = socket.parent / "config"
        #: Folder with only the client, for the start of PATH.
        self.programs = socket.parent / "bin"
        self._command = [CLIENT, "--config", self.configuration, "--host", self.host]

    def answers(self) -> bool:
        """Return whether the engine answers."""
        return succeeds([*self._command, "version"])

    def command(self, *arguments: object) -> list[str]:
        """Return the arguments of a docker command, for callers that start it themselves."""
        return [
            os.fspath(word) if isinstance(word, os.PathLike) else str(word) for word in (*self._command, *arguments)
        ]

    def run(self, *arguments: object, what: str, stdin: str | None = None, timeout: float | None = None) -> str:
        """Run a docker command to its end and return its output.

        Raises:
            ClusterError: it failed.
        """
        return run(self.command(*arguments), what=what, env={"DOCKER_BUILDKIT": "1"}, stdin=stdin, timeout=timeout)

    def images(self, repository: str) -> list[str]:
        """Return the names of the images of `repository`, newest first."""
        listed = self.run("images", "--format", "{{.Repository}}:{{.Tag}}", repository, what="list the engine's images")
        return listed.split()

    def has_image(self, name: str) -> bool:
        """Return whether the engine holds the image `name`."""
        return bool(self.run("images", "--quiet", name, what="list the engine's images").strip())
