"""The limits in the reference of serving pods are those of the code."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from perennate.api.documents.serving_config import DEFAULT_KEEP_ALIVE_SECONDS, DEFAULT_MAX_CONNECTIONS
from perennate.serving.capture.feedback import MAX_LABELS, REMEMBERED
from perennate.serving.capture.headers import HEADER_IDS
from perennate.serving.capture.received_labels import LONGEST_DELAY_SECONDS, REFUSALS, SKEW_SECONDS
from perennate.serving.capture.rows import QUEUE_ROWS
from perennate.serving.lanes import MAX_WAITING, SMALL_ROWS, THREADS, WAIT_SECONDS
from perennate.serving.model.schema import MAX_ROWS
from perennate.serving.openapi.document import ERRORS
from perennate.serving.port.bodies import BODY_SECONDS, HELD_BYTES, MAX_BODY_BYTES, SMALL_BYTES
from perennate.serving.port.connections import HEADER_SECONDS
from perennate.serving.port.large_bodies import INLINE_BYTES, MAX_NAMES, MAX_PARSED_BYTES
from perennate.serving.request_error import LISTED
from tests.support.docs.pages import ROOT

with warnings.catch_warnings():
    # Importing BentoML causes deprecation warnings in its dependencies.
    warnings.simplefilter("ignore", DeprecationWarning)
    from perennate.serving.http.service import TIMEOUT_SECONDS

PAGE = (ROOT / "docs/reference/serving.md").read_text()
MIB = 2**20
LIMITS = {
    "rows of a request": f"1 to {MAX_ROWS:,}",
    "labels of a request": f"0 to {MAX_LABELS:,}",
    "size of a body, after decompression": f"{MAX_BODY_BYTES / MIB:g} MiB",
    f"size of all bodies over {SMALL_BYTES // 1024} KiB in memory together": f"{HELD_BYTES / MIB:g} MiB",
    "memory that a body takes when it is parsed, estimated": f"{MAX_PARSED_BYTES / MIB:g} MiB",
    f"different field names of a body over {INLINE_BYTES // 1024} KiB": f"{MAX_NAMES:,}",
    "open connections": f"{DEFAULT_MAX_CONNECTIONS:,} (`spec.serving.maxConnections`)",
    "idle time of a connection": f"{DEFAULT_KEEP_ALIVE_SECONDS} s (`spec.serving.keepAliveSeconds`)",
    "time for the headers of a request": f"{HEADER_SECONDS:g} s",
    "time for the body of a request": f"{BODY_SECONDS:g} s",
    "predictions at once that take longer than some milliseconds": f"{THREADS}",
    f"of these, predictions of more than {SMALL_ROWS} rows": f"{THREADS - 1}",
    "requests that wait to begin, and of either kind for their prediction": f"{MAX_WAITING:,}",
    "time that they wait": f"{WAIT_SECONDS:g} s",
    "time for a prediction": f"{TIMEOUT_SECONDS:g} s",
    "invalid values that an error lists": f"{LISTED}",
    "rows whose ids are in the header `X-Prediction-Id`; of more rows, it has only the first": f"{HEADER_IDS}",
    "ids that a pod remembers, to count a label once if it is sent twice": f"{REMEMBERED:,}",
    "age of the prediction of a label": (
        f"{LONGEST_DELAY_SECONDS / 86_400:g} days, or `spec.capture.retention` if that is longer"
    ),
    "time that the prediction of a label may be in the future": f"{SKEW_SECONDS:g} s",
    "captured rows that wait to be written; more are dropped and counted": f"{QUEUE_ROWS:,}",
}


def rows_of(heading: str) -> Iterator[tuple[str, str]]:
    """The rows of the table in a section, without its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        name, value = line.strip("|").split(" | ")
        yield name.strip(), value.strip()


def test_the_table_of_limits_has_the_values_of_the_code() -> None:
    assert dict(rows_of("Limits")) == LIMITS


def test_the_table_of_statuses_has_those_of_the_openapi_document() -> None:
    """401 is in the document of a pod with a token; 404 and 405 are for other routes, which no document describes."""
    listed = {int(number) for name, _ in rows_of("Statuses") for number in re.findall(r"\d{3}", name)}
    assert listed == {200, 401, 404, 405, *map(int, ERRORS)}


def test_the_table_of_refused_labels_has_the_reasons_of_the_code() -> None:
    listed = re.findall(r"^\| `([a-z_]+)` \|", PAGE.partition("the reasons in place of `invalid`")[2], re.MULTILINE)
    assert listed[: len(REFUSALS)] == list(REFUSALS)
