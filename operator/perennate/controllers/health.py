"""Liveness and readiness probes, served by their own threads, so that a blocked event loop is detected."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

OLDEST_SECONDS: Final = 600.0
"""Maximum age in seconds of a due key or a running pass."""
SILENT_SECONDS: Final = 60.0
"""Maximum time in seconds since the last tick of the event loop."""
LAG_SECONDS: Final = 10.0
"""Maximum delay in seconds of a tick."""


@dataclass
class Vitals:
    """State of the event loop, written by its ticks and read by the probes. `clock` is monotonic time in seconds."""

    clock: Callable[[], float] = time.monotonic
    ticked: float | None = None
    lag: float = 0.0
    oldest: float = 0.0
    stale_watches: tuple[str, ...] = ()
    dead_tasks: tuple[str, ...] = ()
    standby: bool = False
    primed: bool = False

    def liveness_problems(self) -> list[str]:
        """Why the operator should be restarted; empty if it is live."""
        found = [f"the watch of {kind} is stale" for kind in self.stale_watches]
        found += [f"the task {name} ended" for name in self.dead_tasks]
        if self.oldest > OLDEST_SECONDS:
            found.append(f"an object has waited for {self.oldest:.0f} s")
        if self.lag > LAG_SECONDS:
            found.append(f"the event loop lags by {self.lag:.1f} s")
        if self.ticked is not None and self.clock() - self.ticked > SILENT_SECONDS:
            found.append("the event loop is blocked")
        return found

    def readiness_problems(self) -> list[str]:
        """Why the operator is not ready; empty if it reconciles or is a standby."""
        return [] if self.primed or self.standby else ["the cache is not filled yet"]


def serve_health(vitals: Vitals, port: int) -> ThreadingHTTPServer:
    """Serve /healthz and /readyz on `port` until the server is shut down; `server_port` is the actual port."""

    class Handler(BaseHTTPRequestHandler):
        """Responds 200 with an empty list of reasons, or 500 with the problems."""

        timeout = 5.0

        def do_GET(self) -> None:
            """Respond to a probe."""
            checks = {"/healthz": vitals.liveness_problems, "/readyz": vitals.readiness_problems}
            check = checks.get(self.path)
            found = check() if check is not None else [f"no such path: {self.path}"]
            body = json.dumps({"ok": not found, "reasons": found}).encode()
            self.send_response(200 if not found else (500 if check is not None else 404))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Do not log probes."""

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
