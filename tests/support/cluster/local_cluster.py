"""The local cluster for tests: command line, provider, node files and audit log."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.support.cluster.apiserver import AuditEvent, parse_audit
from tools.cluster import provider
from tools.cluster.instance import CHECKOUT, Instance


@functools.cache
def chosen_provider() -> str:
    """The provider of this session's cluster: "kind" or "packages"."""
    return provider.cluster(Instance.of(os.environ.get("PERENNATE_CLUSTER", "default"))).provider


@dataclass(frozen=True)
class LocalCluster:
    """One cluster of this checkout, by `python3 -m tools.cluster`.

    Attributes:
        name: name of the cluster; None for the one that tests and the demo share.
        provider: the requested provider; None for the default.
    """

    name: str | None = None
    provider: str | None = None

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the cluster tool."""
        own = {"PERENNATE_CLUSTER": self.name, "PROVIDER": self.provider}
        return subprocess.run(
            [sys.executable, "-m", "tools.cluster", *words],
            cwd=CHECKOUT,
            env={**os.environ, **{key: value for key, value in own.items() if value is not None}, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the cluster tool; it must succeed."""
        done = self.command(*words)
        assert done.returncode == 0, done.stderr
        return done

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl as an administrator and return its output."""
        folder, kubeconfig = (self.run(word).stdout.strip() for word in ("bin", "kubeconfig"))
        command = [f"{folder}/kubectl", "--kubeconfig", kubeconfig, *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self, *words: str) -> list[dict[str, Any]]:
        """The objects that `kubectl get` returns."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", *words, "--output=json"))["items"]
        return found

    def on_node(self, *words: str) -> str:
        """Run a program on the node and return its output."""
        return self.run("node", *words).stdout

    def audit(self) -> list[AuditEvent]:
        """Every call that the API server answered."""
        return parse_audit(self.run("audit-log").stdout)
