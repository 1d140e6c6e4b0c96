"""The probes, answered by a thread of their own: a stuck event loop is found out, not waited for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

OLDEST_SECONDS: Final = 600.0
"""An object that waits so long for its pass, or a pass that takes so long: nothing moves any more."""
SILENT_SECONDS: Final = 60.0
"""The event loop has not ticked for so long."""
LAG_SECONDS: Final = 10.0


@dataclass
class Vitals:
    """What the event loop last said of itself; written by its ticks, read by the threads that answer.

    `clock` counts seconds.
    """

    clock: Callable[[], float] = time.monotonic
    ticked: float | None = None
    lag: float = 0.0
    oldest: float = 0.0
    stale_watches: tuple[str, ...] = ()
    dead_tasks: tuple[str, ...] = ()
    standby: bool = False
    primed: bool = False
    silence: dict[str, float] = field(default_factory=dict)

    def ailments(self) -> list[str]:
        """Why the operator should be restarted; empty if it is well."""
        found = [f"the watch of {kind} is stale" for kind in self.stale_watches]
        found += [f"the task {name} ended" for name in self.dead_tasks]
        if self.oldest > OLDEST_SECONDS:
            found.append(f"an object waits for {self.oldest:.0f} s")
        if self.lag > LAG_SECONDS:
            found.append(f"the event loop lags by {self.lag:.1f} s")
        if self.ticked is not None and self.clock() - self.ticked > SILENT_SECONDS:
            found.append("the event loop stands still")
        return found

    def obstacles(self) -> list[str]:
        """Why the operator is not ready; empty if it reconciles, or stands by."""
        return [] if self.primed or self.standby else ["the caches are not filled yet"]


def serve_health(vitals: Vitals, port: int) -> ThreadingHTTPServer:
    """Answer /healthz and /readyz on `port` until the server is shut down; its `server_port` is the port it got."""

    class Handler(BaseHTTPRequestHandler):
        """Answers with what is wrong: 200 and an empty list, or 500."""

        timeout = 5.0

        def do_GET(self) -> None:
            """One probe."""
            answers = {"/healthz": vitals.ailments, "/readyz": vitals.obstacles}
            answer = answers.get(self.path)
            found = answer() if answer is not None else [f"no such path: {self.path}"]
            body = json.dumps({"ok": not found, "reasons": found}).encode()
            self.send_response(200 if not found else (500 if answer is not None else 404))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes are not logged."""

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
