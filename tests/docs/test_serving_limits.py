"""The limits in the reference of serving pods are those of the code."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from perennate.serving.capture.feedback import MAX_LABELS, REMEMBERED
from perennate.serving.capture.headers import HEADER_IDS
from perennate.serving.capture.rows import QUEUE_ROWS
from perennate.serving.http.middleware import HELD_BYTES, MAX_BODY_BYTES
from perennate.serving.model.schema import MAX_ROWS
from perennate.serving.openapi.document import ERRORS
from perennate.serving.request_error import LISTED
from tests.support.docs.pages import ROOT

with warnings.catch_warnings():
    # Importing BentoML causes deprecation warnings in its dependencies.
    warnings.simplefilter("ignore", DeprecationWarning)
    from perennate.serving.http.service import MAX_CONCURRENCY, TIMEOUT_SECONDS

PAGE = (ROOT / "docs/reference/serving.md").read_text()
MIB = 2**20
LIMITS = {
    "rows of a request": f"1 to {MAX_ROWS:,}",
    "labels of a request": f"0 to {MAX_LABELS:,}",
    "size of a body": f"{MAX_BODY_BYTES / MIB:g} MiB",
    "size of all bodies in memory together": f"{HELD_BYTES / MIB:g} MiB",
    "concurrent requests": f"{MAX_CONCURRENCY}",
    "time for a prediction": f"{TIMEOUT_SECONDS:g} s",
    "invalid values that an error lists": f"{LISTED}",
    "rows whose ids are in the header `X-Prediction-Id`; of more rows, it has only the first": f"{HEADER_IDS}",
    "ids that a pod remembers, to count a label once if it is sent twice": f"{REMEMBERED:,}",
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
    """404 and 405 are for requests to other routes, which the document does not describe."""
    listed = {int(number) for name, _ in rows_of("Statuses") for number in re.findall(r"\d{3}", name)}
    assert listed == {200, 404, 405, *map(int, ERRORS)}
