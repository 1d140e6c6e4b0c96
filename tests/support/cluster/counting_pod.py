"""The operations port of a serving pod on a local address: counts real rows against a real profile."""

from __future__ import annotations

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import numpy as np
import pytest

from perennate.api.wellknown import OPERATIONS_PORT
from perennate.drift import Profile, Recorder, build_profile
from tests.support.ports import hold_port


def own_address() -> str:
    """An address of this machine that is not loopback. No packet is sent to find it.

    Skips the test if there is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))
        except OSError:
            pytest.skip("this machine has no address besides loopback, which the operator does not scrape")
        return str(probe.getsockname()[0])


def profile_of_wind() -> Profile:
    """The profile of a model with one feature."""
    return build_profile(
        {"wind": np.random.default_rng(7).normal(size=2_000)}, task="classification", classes=("no", "yes")
    )


class CountingPod:
    """Answers /profile and /counts as a serving pod does. Use as a context manager.

    Attributes:
        profile: reference profile of the counts.
        address: IP address; the port is that of all serving pods.
        rows: number of counted rows.
    """

    def __init__(self) -> None:
        self.profile = profile_of_wind()
        self.address = own_address()
        self.rows = 0
        self._draw = np.random.default_rng(1)
        self._lock = threading.Lock()

    def count(self, rows: int) -> None:
        """Count rows with the distribution of the training data."""
        with self._lock:
            self._recorder.record({"wind": self._draw.normal(size=rows)})
            self.rows += rows

    def document(self, path: str) -> bytes | None:
        """The document at a path, or None."""
        with self._lock:
            if path == "/profile":
                return self.profile.to_bytes()
            return json.dumps(self._recorder.document()).encode() if path == "/counts" else None

    def __enter__(self) -> Self:
        """Listen. Waits until no other test uses the port, which is the same for all serving pods."""
        pod = self
        self._turn = hold_port(OPERATIONS_PORT)
        self._turn.__enter__()
        self._recorder = Recorder(self.profile, model="rain", version="sha256:" + "a" * 64, start=time.time())

        class Handler(BaseHTTPRequestHandler):
            """Answers with the document at the path."""

            def do_GET(self) -> None:
                """Answer one scrape."""
                content = pod.document(self.path)
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer((self.address, OPERATIONS_PORT), Handler)
        threading.Thread(target=self._server.serve_forever, name="counting pod", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._turn.__exit__(None, None, None)
