"""Send the rows of traffic.csv to a ModelDeployment's Service, in order, and post their labels.

Runs in a pod and needs only the standard library. Each request prints one JSON line: first row, time, status, version,
scores and milliseconds. A failed request is logged with its error and not retried, so the log shows every failure.

Environment: SERVICE (base URL), DATA (CSV file), FIRST_ROW (number of its first row), BATCH (rows per request), RATE
(rows per second).
"""

from __future__ import annotations

import csv
import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

SERVICE = os.environ["SERVICE"]
DATA = os.environ["DATA"]
FIRST_ROW = int(os.environ.get("FIRST_ROW", "8000"))
BATCH = int(os.environ.get("BATCH", "10"))
RATE = float(os.environ.get("RATE", "45"))
TARGET = "rain"
TIMEOUT_SECONDS = 15


def post(path: str, document: Any) -> Any:
    """POST a JSON document on a new connection and return the response."""
    request = urllib.request.Request(  # noqa: S310 - the address is our own Service
        SERVICE + path, json.dumps(document).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        return json.load(answer)


def send(first: int, batch: list[dict[str, str]]) -> None:
    """Predict one batch, then post its labels."""
    records = [{name: float(value) for name, value in row.items() if name != TARGET} for row in batch]
    begin = time.time()
    line: dict[str, Any] = {"row": first, "rows": len(batch), "time": round(begin, 3)}
    try:
        answer = post("/predict", {"records": records})
        positive = answer["classes"].index(1)
        line |= {
            "status": 200,
            "version": answer["model"]["version"],
            "scores": [round(row[positive], 6) for row in answer["probabilities"]],
            "ms": round(1000 * (time.time() - begin), 1),
        }
        labels = [{"id": id_, "label": int(row[TARGET])} for id_, row in zip(answer["ids"], batch, strict=True)]
        post("/feedback", labels)
    except (OSError, KeyError, ValueError) as error:
        status = error.code if isinstance(error, urllib.error.HTTPError) else 0
        line |= {"status": status, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(line), flush=True)


def main() -> None:
    """Send every row."""
    with Path(DATA).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    begin = time.monotonic()
    for first in range(0, len(rows), BATCH):
        due = begin + first / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        send(FIRST_ROW + first, rows[first : first + BATCH])


if __name__ == "__main__":
    main()
