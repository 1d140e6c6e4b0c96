"""The operator as a separate process, configured by environment variables as in its pod."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.support.cluster.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class OperatorProcess:
    """`python -m perennate.controllers` with a kubeconfig. As a context manager: ready on entry, killed on exit.

    Attributes:
        kubeconfig: of the API server, or of a proxy.
        log: file to which each start appends its log lines.
        identity: its name in the Lease.
        namespace: namespace of the Lease, different for each test, so that operators of two tests do not compete.
        settings: additional environment variables.
        program: arguments of Python.
    """

    kubeconfig: Path
    log: Path
    identity: str = "operator-0"
    namespace: str = "perennate-system"
    election: bool = True
    settings: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = ("-m", "perennate.controllers")
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _log_from: int = field(default=0, init=False)

    def start(self) -> Self:
        """Start it without waiting."""
        environment = os.environ | {
            "KUBECONFIG": str(self.kubeconfig),
            "PERENNATE_TRAINER_IMAGE": "localhost/perennate-trainer:test",
            "PERENNATE_SERVING_IMAGE": "localhost/perennate-serving:test",
            "PERENNATE_STORE_SIZE": "1Gi",
            "PERENNATE_NAMESPACE": self.namespace,
            "PERENNATE_POD_NAME": self.identity,
            "PERENNATE_LOG_LEVEL": "INFO",
            "PERENNATE_HEALTH_PORT": "0",
            "PERENNATE_METRICS_PORT": "0",
            "PERENNATE_LEADER_ELECTION": "true" if self.election else "false",
            **self.settings,
        }
        self._log_from = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            command = ["setpriv", "--pdeathsig", "KILL", sys.executable, *self.program]
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        return self

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def wait_ready(self) -> Self:
        """Wait until /readyz returns 200.

        Raises:
            AssertionError: it ended, or never becomes ready; the message has its log.
        """
        ready = eventually(lambda: self.exit_code is not None or self.probe("/readyz")[0] == 200)
        assert ready, self.tail()
        assert self.exit_code is None, self.tail()
        return self

    def probe(self, path: str) -> tuple[int, str]:
        """Status and body of a probe; status 0 without a response."""
        return self._ask(f"{path}", port=0)

    def metrics(self) -> str:
        """The metrics in the text format of Prometheus."""
        return self._ask("/metrics", port=1)[1]

    def send_sigkill(self) -> None:
        """Send SIGKILL without waiting."""
        assert self._process is not None
        self._process.kill()

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._process is not None:
            self._process.wait(PATIENCE)

    def terminate(self) -> int:
        """Send SIGTERM, as the kubelet does, and return the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE)

    def tail(self) -> str:
        """The end of the log."""
        return self.log.read_text()[-4000:]

    def records(self) -> list[dict[str, str]]:
        """The log records since the last start."""
        with self.log.open("rb") as content:
            content.seek(self._log_from)
            lines = content.read().decode().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def __enter__(self) -> Self:
        """Start it and wait until it is ready."""
        try:
            return self.start().wait_ready()
        except BaseException:
            self.kill()
            raise

    def __exit__(self, *_: object) -> None:
        """Kill it if it still runs."""
        self.kill()

    def _ports(self) -> tuple[int, int] | None:
        """The ports from the log: probes, metrics."""
        for record in self.records():
            if record["message"].startswith("Serving probes on port"):
                probes, metrics = (int(word) for word in record["message"].split() if word.isdecimal())
                return probes, metrics
        return None

    def _ask(self, path: str, *, port: int) -> tuple[int, str]:
        ports = self._ports()
        if ports is None:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{ports[port]}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except (OSError, http.client.HTTPException):  # It may be killed while it answers.
            return 0, ""
