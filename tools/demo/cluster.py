"""kubectl and helm against the demo's cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to look at."""


def local_cluster(*arguments: str) -> str:
    """Run `python -m tools.cluster` and return what it printed.

    Raises:
        DemoError: the command failed; its own sentence is on standard error already.
    """
    command = [sys.executable, "-m", "tools.cluster", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise DemoError(f"`python -m tools.cluster {' '.join(arguments)}` failed with exit code {done.returncode}")
    return done.stdout.strip()


@dataclass(frozen=True)
class Cluster:
    """A cluster and the folder that holds kubectl and helm; objects are read and written in one namespace."""

    kubeconfig: str
    programs: str
    namespace: str

    @property
    def environment(self) -> dict[str, str]:
        """Environment of every command: our programs first on PATH."""
        return {**os.environ, "KUBECONFIG": self.kubeconfig, "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *command: str, stdin: str | None = None, timeout: float = 300) -> str:
        """Run a program to its end and return its standard output.

        Raises:
            DemoError: it failed, or took too long; the message holds the command and what it said.
        """
        try:
            done = subprocess.run(
                command,
                env=self.environment,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
                cwd=ROOT,
            )
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"`{' '.join(command)}` took longer than {timeout:g} s") from error
        if done.returncode:
            raise DemoError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 300) -> str:
        """Run kubectl in the namespace."""
        return self.run("kubectl", "--namespace", self.namespace, *arguments, stdin=stdin, timeout=timeout)

    def get(self, *arguments: str) -> dict[str, Any]:
        """One object or list as a document."""
        document: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return document

    @contextmanager
    def stream(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Leave kubectl running; it is ended with the context."""
        command = ["kubectl", "--namespace", self.namespace, *arguments]
        process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()

    def wait_for(self, kind: str, name: str, *, seconds: float) -> Iterator[dict[str, Any]]:
        """The object again and again, once a second, until the caller has seen enough.

        Raises:
            DemoError: the time is up.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            yield self.get(kind, name)
            time.sleep(1)
        story = self.kubectl("describe", kind, name)
        raise DemoError(f"{kind}/{name} did not get where it should in {seconds:.0f} s:\n{story}")


def condition(document: dict[str, Any], type_: str) -> dict[str, Any]:
    """A condition of an object, or an empty one."""
    conditions = document.get("status", {}).get("conditions", [])
    found: dict[str, Any] = next((entry for entry in conditions if entry["type"] == type_), {})
    return found
