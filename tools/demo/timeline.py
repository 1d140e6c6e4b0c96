"""Observations during the traffic: requests by row, states of the objects by time."""

from __future__ import annotations

import csv
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

from perennate.api.documents.canonical import short_version
from tools.demo.cluster import condition

FIRST_ROW = 8_000
LAST_ROW = 18_000
DRIFT_ROW = 12_000
"""The row of the drift according to the documentation of the data set."""


@dataclass(frozen=True)
class Request:
    """One request of the traffic pod."""

    row: int
    rows: int
    time: float
    status: int
    version: str
    scores: tuple[float, ...]
    error: str

    @classmethod
    def parse(cls, line: str) -> Request:
        """Parse one line of the pod's log."""
        document = json.loads(line)
        return cls(
            document["row"],
            document["rows"],
            document["time"],
            document["status"],
            short_version(document.get("version", "")),
            tuple(document.get("scores", ())),
            document.get("error", ""),
        )


@dataclass(frozen=True)
class Entry:
    """One decision of the operator, from the `status.history` of an object."""

    time: float
    kind: str
    name: str
    reason: str
    message: str


@dataclass
class Timeline:
    """All observations so far. Threads update it, the screen reads it."""

    requests: list[Request] = field(default_factory=list)
    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    entries: dict[tuple[str, str, str, str], Entry] = field(default_factory=dict)
    no_trigger_messages: list[tuple[float, str]] = field(default_factory=list)
    """Messages of a DriftPolicy that detected drift but has no trigger for it, with their times."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def follow_requests(self, stream: Iterable[str]) -> None:
        """Read the log of the traffic pod to its end."""
        for line in stream:
            if line.startswith("{"):
                with self.lock:
                    self.requests.append(Request.parse(line))

    def follow_objects(self, stream: Iterable[str]) -> None:
        """Read the documents of `kubectl get --watch -o json` to the end."""
        decoder, buffer = json.JSONDecoder(), ""
        for line in stream:
            buffer += line
            if line.rstrip() != "}":
                continue
            document, _ = decoder.raw_decode(buffer)
            buffer = ""
            self.update(document.get("items", [document]))

    def update(self, documents: Iterable[dict[str, Any]]) -> None:
        """Store the newest state of the objects, and every entry of their histories."""
        with self.lock:
            for document in documents:
                kind, name = document["kind"], document["metadata"]["name"]
                self.objects[kind, name] = document
                self._record_no_trigger(document)
                for entry in document.get("status", {}).get("history", []):
                    key = (kind, name, entry["time"], entry["reason"])
                    message = entry.get("message", "")
                    self.entries[key] = Entry(seconds(entry["time"]), kind, name, entry["reason"], message)

    def _record_no_trigger(self, document: dict[str, Any]) -> None:
        """Store the `NoTrigger` message of a policy if it has changed."""
        found = condition(document, "RetrainingActive")
        if found.get("reason") == "NoTrigger" and [text for _, text in self.no_trigger_messages[-1:]] != [
            found["message"]
        ]:
            self.no_trigger_messages.append((time.time(), found["message"]))

    def row_at(self, time: float) -> int:
        """Return the last row that was sent at a time."""
        rows = [request.row for request in self.requests if request.time <= time]
        return max(rows, default=FIRST_ROW)

    @property
    def failed(self) -> list[Request]:
        """Requests with a status other than 200."""
        return [request for request in self.requests if request.status != 200]

    def history(self) -> list[Entry]:
        """Return all decisions, oldest first."""
        return sorted(self.entries.values(), key=lambda entry: entry.time)


def seconds(text: str) -> float:
    """Return the Unix time of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()


def labels(path: Path) -> list[int]:
    """Return the labels of traffic.csv, in order."""
    with path.open(newline="") as stream:
        return [int(row["rain"]) for row in csv.DictReader(stream)]
