"""The audit ends with 0 only if every package was looked up and none is vulnerable.

pip-audit itself runs, with a database on this machine that answers as osv.dev does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tools.supply_chain.audit import LOCK, ExitCode, main

VULNERABLE = "kopf"
ADVISORY = {
    "id": "GHSA-0000-0000-0000",
    "summary": "an example",
    "details": "an example",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": VULNERABLE, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


class Database(BaseHTTPRequestHandler):
    """Knows one vulnerability."""

    def do_POST(self) -> None:
        """Answer a query for a package."""
        query = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found = {"vulns": [ADVISORY]} if query["package"]["name"] == VULNERABLE else {}
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def database() -> Iterator[list[str]]:
    """The arguments that select the database."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield ["--vulnerability-service", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/v1/query"]
        server.shutdown()
        thread.join()


def lock_of(folder: Path, *names: str) -> Path:
    """A lock with some of our packages."""
    entries = LOCK.read_text().replace("\\\n", "\\\0").splitlines()
    path = folder / "lock.txt"
    chosen = [entry for entry in entries if entry.partition("==")[0] in names]
    assert len(chosen) == len(names)
    path.write_text("\n".join(chosen).replace("\\\0", "\\\n") + "\n")
    return path


def test_no_vulnerability(tmp_path: Path, database: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(database, lock=lock_of(tmp_path, "pydantic", "orjson")) == ExitCode.CLEAN
    assert capsys.readouterr().out == "2 packages looked up, 0 vulnerabilities\n"


def test_a_vulnerability_is_named(tmp_path: Path, database: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*database, "--allow-unreachable"]
    assert main(arguments, lock=lock_of(tmp_path, "pydantic", VULNERABLE)) == ExitCode.VULNERABLE
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"VULNERABLE {VULNERABLE} ")
    assert first.endswith(": GHSA-0000-0000-0000, fixed in 99.0")
    assert last == "2 packages looked up, 1 vulnerabilities"


def test_a_database_that_does_not_answer_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unreachable = ["--vulnerability-service", "osv", "--osv-url", "http://127.0.0.1:9/v1/query"]
    lock = lock_of(tmp_path, "pydantic")
    assert main(unreachable, lock=lock) == ExitCode.NOT_AUDITED
    assert main([*unreachable, "--allow-unreachable"], lock=lock) == ExitCode.CLEAN
    assert capsys.readouterr().out.count("NOT AUDITED: ") == 2
