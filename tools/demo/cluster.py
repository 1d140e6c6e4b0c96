"""Run kubectl and helm against the cluster of the demo."""

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
    """The demo cannot continue; the message says why."""


def local_cluster(*arguments: str) -> str:
    """Run `python -m tools.cluster` and return what it printed.

    Raises:
        DemoError: the command failed; its error is on standard error.
    """
    command = [sys.executable, "-m", "tools.cluster", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise DemoError(f"`python -m tools.cluster {' '.join(arguments)}` failed with exit code {done.returncode}")
    return done.stdout.strip()


@dataclass(frozen=True)
class Cluster:
    """A cluster, a namespace in it, and the folder with kubectl and helm."""

    kubeconfig: str
    programs: str
    namespace: str

    @property
    def environment(self) -> dict[str, str]:
        """Environment of every command, with our programs first on PATH."""
        return {**os.environ, "KUBECONFIG": self.kubeconfig, "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *command: str, stdin: str | None = None, timeout: float = 300) -> str:
        """Run a program to its end and return its standard output.

        Raises:
            DemoError: it failed or timed out; the message has the command and its error.
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
        """Return an object or a list."""
        document: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return document

    @contextmanager
    def stream(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run kubectl in the background until the context exits."""
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
        """Yield the object once a second, until the caller stops.

        Raises:
            DemoError: the timeout has passed.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            yield self.get(kind, name)
            time.sleep(1)
        story = self.kubectl("describe", kind, name)
        raise DemoError(f"{kind}/{name} did not reach the expected state within {seconds:.0f} s:\n{story}")


def condition(document: dict[str, Any], type_: str) -> dict[str, Any]:
    """Return a condition of an object, or an empty one."""
    conditions = document.get("status", {}).get("conditions", [])
    found: dict[str, Any] = next((entry for entry in conditions if entry["type"] == type_), {})
    return found
