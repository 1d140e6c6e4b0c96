"""The checks of the demo: all pass on a good run, and each defect fails exactly one check."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from tools.demo.report import (
    BUCKET,
    MAX_FIXED_AUC,
    MIN_LOOP_AUC,
    RECOVERY_ROW,
    Bucket,
    Check,
    buckets,
    check_promises,
    print_checks,
)
from tools.demo.timeline import DRIFT_ROW, FIRST_ROW, LAST_ROW, Entry, Request, Timeline

STEP = 10
#: Message of the policy about drift that does not retrain.
NO_TRIGGER = "visibility drifted, and the labelled auc is as it was"


class Run:
    """The observations of a good run, for a test to change. The time of a row is its number."""

    def __init__(self) -> None:
        requests = [Request(row, STEP, row, 200, "v1", (0.5,) * STEP, "") for row in range(FIRST_ROW, LAST_ROW, STEP)]
        self.timeline = Timeline(requests=requests, no_trigger_messages=[(10_000, NO_TRIGGER)])
        self.rows = [Bucket(first, 0.41, 0.85, ("v1",)) for first in range(FIRST_ROW, LAST_ROW, BUCKET)]
        self.set_entry("DriftExceeded", 9_000, "visibility drifted")
        self.set_entry("EpisodeOpened", 12_500, "auc fell")
        self.set_entry("LoopClosed", 13_500, "v2 serves")

    def set_entry(self, reason: str, row: int, message: str, *, kind: str = "DriftPolicy") -> None:
        """Replace the entries with `reason` by one of an object of `kind` at `row`."""
        self.remove_entries(reason)
        self.timeline.entries[kind, "rainfall", str(row), reason] = Entry(row, kind, "rainfall", reason, message)

    def remove_entries(self, reason: str) -> None:
        """Remove all entries with `reason`."""
        entries = self.timeline.entries
        self.timeline.entries = {key: entry for key, entry in entries.items() if entry.reason != reason}

    def set_message(self, row: int, text: str) -> None:
        """Set the only message about drift that does not retrain, at `row`."""
        self.timeline.no_trigger_messages = [(row, text)]

    def set_last_auc(self, *, loop: float = 0.85, fixed: float = 0.41) -> None:
        """Set the AUC of the last bucket before RECOVERY_ROW."""
        last = RECOVERY_ROW - BUCKET
        self.rows = [replace(row, loop=loop, fixed=fixed) if row.first_row == last else row for row in self.rows]

    def fail(self) -> None:
        """Make one request fail."""
        self.timeline.requests[500] = replace(self.timeline.requests[500], status=503, error="no backend")

    def failed(self) -> list[str]:
        """Return the failed checks."""
        return [check.promise for check in check_promises(self.timeline, self.rows) if not check.passed]


SENT = "every row was sent once and no request failed"
FOUND = "the harmless drift is detected before row 12,000, with the name of the feature"
NOT_BEFORE = "no retraining before row 12,000, and the policy says why not"
OPENED = "a loss of performance opens an episode"
CLOSED = "every pod serves the new version: the loop closed"
RECOVERED = "by row 16,000 the AUC is at least 0.80 with the loop, and below 0.50 without"

DEFECTS: dict[str, tuple[str, Callable[[Run], object]]] = {
    "a request failed": (SENT, Run.fail),
    "a request was never sent": (SENT, lambda run: run.timeline.requests.pop(500)),
    "a request was sent twice": (SENT, lambda run: run.timeline.requests.append(run.timeline.requests[500])),
    "drift was never detected": (FOUND, lambda run: run.remove_entries("DriftExceeded")),
    "drift was detected only after it became harmful": (
        FOUND,
        lambda run: run.set_entry("DriftExceeded", DRIFT_ROW, "visibility"),
    ),
    "drift of another feature was detected": (
        FOUND,
        lambda run: run.set_entry("DriftExceeded", 9_000, "humidity drifted"),
    ),
    "another object reported drift": (
        FOUND,
        lambda run: run.set_entry("DriftExceeded", 9_000, "visibility", kind="Other"),
    ),
    "retrained too early": (
        NOT_BEFORE,
        lambda run: run.set_entry("EpisodeOpened", DRIFT_ROW - STEP, "visibility drifted"),
    ),
    "no message says why the policy does not retrain": (
        NOT_BEFORE,
        lambda run: run.timeline.no_trigger_messages.clear(),
    ),
    "the message comes too late": (NOT_BEFORE, lambda run: run.set_message(DRIFT_ROW, NO_TRIGGER)),
    "the message names no feature": (NOT_BEFORE, lambda run: run.set_message(10_000, "the labelled auc is as it was")),
    "the message names no metric": (NOT_BEFORE, lambda run: run.set_message(10_000, "visibility drifted")),
    "no episode was opened": (OPENED, lambda run: run.remove_entries("EpisodeOpened")),
    "the loop did not close": (CLOSED, lambda run: run.remove_entries("LoopClosed")),
    "the AUC stays low": (RECOVERED, lambda run: run.set_last_auc(loop=MIN_LOOP_AUC - 0.001)),
    "the AUC is undefined": (RECOVERED, lambda run: run.set_last_auc(loop=math.nan)),
    "the first model still performs well": (RECOVERED, lambda run: run.set_last_auc(fixed=MAX_FIXED_AUC)),
}


def test_all_checks_pass_on_a_good_run() -> None:
    """The control for the cases below: without a change, every check passes."""
    run = Run()
    checks = check_promises(run.timeline, run.rows)
    assert [check.promise for check in checks] == [SENT, FOUND, NOT_BEFORE, OPENED, CLOSED, RECOVERED]
    assert run.failed() == []


def test_values_exactly_at_the_bounds_pass() -> None:
    run = Run()
    run.set_entry("DriftExceeded", DRIFT_ROW - STEP, "visibility drifted")
    run.set_entry("EpisodeOpened", DRIFT_ROW, "auc fell")
    run.set_last_auc(loop=MIN_LOOP_AUC, fixed=MAX_FIXED_AUC - 0.001)
    assert run.failed() == []


@pytest.mark.parametrize("case", DEFECTS)
def test_each_defect_fails_exactly_its_check(case: str) -> None:
    promise, add_defect = DEFECTS[case]
    run = Run()
    add_defect(run)
    assert run.failed() == [promise]


def test_each_check_reports_the_observed_values() -> None:
    """The error, the row, and the message of the policy."""
    run = Run()
    run.fail()
    run.set_entry("EpisodeOpened", 11_000, "humidity drifted")
    seen = {check.promise: check.observed for check in check_promises(run.timeline, run.rows)}
    assert seen[SENT] == "10,000 rows, 1 failed requests ['no backend']"
    assert seen[NOT_BEFORE] == f"{NO_TRIGGER}; episodes at rows [11000]"
    assert seen[RECOVERED] == "AUC of the 1,000 rows before: 0.850 with the loop, 0.410 without"


def test_one_failed_check_fails_the_demo() -> None:
    passed, failed = Check("one", True, "row 1"), Check("another", False, "[none] of it")
    screen = io.StringIO()
    console = Console(file=screen, highlight=False)
    results = [print_checks(console, checks) for checks in ([passed], [passed, failed], [failed, passed])]
    assert results == [True, False, False]
    lines = screen.getvalue().splitlines()
    assert lines == ["yes  one: row 1"] * 2 + ["NO  another: [none] of it"] * 2 + ["yes  one: row 1"]


def test_buckets_have_the_auc_of_their_own_rows() -> None:
    """For both models, with the versions that answered."""
    truth = [row % 2 for row in range(FIRST_ROW, LAST_ROW)]
    right, wrong = [float(label) for label in truth], [1.0 - label for label in truth]
    requests = []
    for row in range(FIRST_ROW, LAST_ROW, STEP):
        good = row >= DRIFT_ROW
        scores = (right if good else wrong)[row - FIRST_ROW :][:STEP]
        requests.append(Request(row, STEP, row, 200, "v2" if good else "v1", tuple(scores), ""))
    # The last bucket was not answered, so it has no AUC.
    unanswered = LAST_ROW - BUCKET
    rows = buckets(Timeline(requests=[r for r in requests if r.row < unanswered]), truth, right)
    assert [bucket.first_row for bucket in rows] == list(range(FIRST_ROW, LAST_ROW, BUCKET))
    for bucket in rows[:-1]:
        late = bucket.first_row >= DRIFT_ROW
        assert (bucket.fixed, bucket.loop) == (1.0, 1.0 if late else 0.0)
        assert bucket.versions == (("v2",) if late else ("v1",))
    assert math.isnan(rows[-1].loop)
