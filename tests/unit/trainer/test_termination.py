"""The termination message: always a valid StageResult within the size that the kubelet keeps."""

from __future__ import annotations

import pytest

from perennate.api.documents.metric import Metric, MetricValue
from perennate.api.documents.stage_result import RESULT_LIMIT, WARNING_LENGTH, GateResult, RunWarning, StageResult
from perennate.trainer.termination import encode, run_error, truncate


@pytest.mark.parametrize("message", ["x" * 5000, "ü" * 5000, "\U0001f331" * 5000, '"\\' * 3000, "a\nb\tc" * 900, ""])
def test_a_long_message_is_truncated_and_the_other_fields_are_kept(message: str) -> None:
    """For any message, the JSON is valid, fits 4,096 bytes, and keeps the metrics and gates."""
    metrics = tuple(MetricValue(name=metric, value=0.123456789012345) for metric in Metric)
    gates = tuple(GateResult(metric=metric, value=0.5, min=0.123456789, max=0.9, passed=True) for metric in Metric)
    result = StageResult(stage="publish", metrics=metrics, gates=gates, error=run_error("GateFailed", message))
    encoded = encode(result)
    assert len(encoded) <= RESULT_LIMIT
    read = StageResult.model_validate_json(encoded)
    assert read.metrics == metrics
    assert read.gates == gates


def test_a_short_message_is_not_truncated() -> None:
    assert truncate("spec.data.target: no column 'x'", 1024) == "spec.data.target: no column 'x'"


def test_a_message_is_one_line_with_an_ellipsis_if_truncated() -> None:
    """A message becomes one line; an ellipsis shows that it was truncated."""
    assert truncate("one\n  two\tthree", 100) == "one two three"
    assert truncate("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    ("letter", "count", "kept"), [("x", 3, 3), ("x", 16, 16), ("\U0001f331", 8, 8), ("\U0001f331", 16, 0)]
)
def test_warnings_give_way_to_metrics_and_error(letter: str, count: int, kept: int) -> None:
    """Long warnings are shortened, all alike, and left out only if that is not enough."""
    warnings = tuple(RunWarning(reason=f"Reason{n}", message=letter * WARNING_LENGTH) for n in range(count))
    metrics = tuple(MetricValue(name=metric, value=0.123456789012345) for metric in Metric)
    result = StageResult(stage="publish", metrics=metrics, warnings=warnings)
    encoded = encode(result)
    assert len(encoded) <= RESULT_LIMIT
    read = StageResult.model_validate_json(encoded)
    assert read.metrics == metrics
    assert [warning.reason for warning in read.warnings or ()] == [f"Reason{n}" for n in range(kept)]
