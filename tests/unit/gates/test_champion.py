"""The comparison of a new model with the served version (the champion)."""

from __future__ import annotations

import math

import pytest

from perennate.api.documents.metric import Metric
from perennate.api.documents.stage_result import ChampionResult, GateOutcome
from perennate.gates import compare, inconclusive, no_champion, no_comparison

VERSION = "sha256:" + "a" * 64
NAN, INF = math.nan, math.inf

CASES: dict[str, tuple[Metric, float | None, float | None, float, bool]] = {
    # name: metric, champion, challenger, minImprovement, passed
    "better": (Metric.AUC, 0.8, 0.9, 0.0, True),
    "better by one rounding step only": (Metric.AUC, 0.8, math.nextafter(0.8, 1), 0.0, False),
    "equal": (Metric.AUC, 0.8, 0.8, 0.0, False),
    "worse": (Metric.AUC, 0.8, 0.7, 0.0, False),
    "better by exactly the minimum": (Metric.AUC, 0.8, 0.9, 0.1, True),
    "better by exactly the minimum, below it by a rounding error": (Metric.AUC, 0.2, 0.3, 0.1, True),
    "better by less than the minimum": (Metric.AUC, 0.8, 0.9, 0.11, False),
    "a smaller error is better": (Metric.RMSE, 10.0, 8.0, 1.0, True),
    "a larger error is worse": (Metric.RMSE, 8.0, 10.0, 0.0, False),
    "a smaller loss is better": (Metric.LOG_LOSS, 0.5, 0.4, 0.0, True),
    "a smaller brier score is better": (Metric.BRIER, 0.2, 0.1, 0.0, True),
    "a larger r2 is better, even below zero": (Metric.R2, -2.0, -1.0, 0.5, True),
    "champion is not a number": (Metric.AUC, NAN, 0.9, 0.0, False),
    "challenger is not a number": (Metric.AUC, 0.8, NAN, 0.0, False),
    "challenger is infinite": (Metric.AUC, 0.8, INF, 0.0, False),
    "champion is minus infinite": (Metric.R2, -INF, 0.9, 0.0, False),
    "champion is unknown": (Metric.AUC, None, 0.9, 0.0, False),
    "challenger is unknown": (Metric.AUC, 0.8, None, 0.0, False),
}


@pytest.mark.parametrize("case", CASES)
def test_only_a_better_model_replaces_the_champion(case: str) -> None:
    """A challenger must be better by at least minImprovement; an equal or undefined metric does not pass."""
    metric, champion, challenger, least, passed = CASES[case]
    verdict = compare(metric, version=VERSION, champion=champion, challenger=challenger, min_improvement=least)
    assert verdict.passed is passed


def test_the_reason_contains_the_numbers() -> None:
    """The reason contains both values, the difference and the required improvement."""
    verdict = compare(Metric.AUC, version=VERSION, champion=0.85, challenger=0.86, min_improvement=0.02)
    assert verdict.reason == "auc 0.86 against 0.85 of the champion: improvement 0.01, required 0.02 or more"


@pytest.mark.parametrize(("champion", "challenger", "who"), [(NAN, 0.9, "the champion"), (0.8, NAN, "the new model")])
def test_the_reason_names_the_model_with_an_undefined_metric(champion: float, challenger: float, who: str) -> None:
    verdict = compare(Metric.AUC, version=VERSION, champion=champion, challenger=challenger, min_improvement=0.0)
    assert verdict.reason == f"auc is undefined for {who}"


def test_without_a_champion_the_comparison_passes_and_says_why() -> None:
    """The first model of a line has no champion, so the comparison passes."""
    verdict = no_champion(Metric.AUC, challenger=0.9, reason="nothing to beat")
    assert verdict.passed
    assert verdict.to_result() == ChampionResult(
        metric=Metric.AUC, challenger=0.9, passed=True, outcome=GateOutcome.PASSED
    )


def test_a_champion_that_cannot_be_compared_is_not_replaced() -> None:
    verdict = no_comparison(Metric.AUC, version=VERSION, challenger=0.9, reason="it needs another column")
    assert not verdict.passed
    assert verdict.to_result() == ChampionResult(
        version=VERSION, metric=Metric.AUC, challenger=0.9, passed=False, outcome=GateOutcome.FAILED
    )


def test_values_that_are_not_finite_are_left_out_of_the_result() -> None:
    """The API server rejects NaN and infinity, so such values are left out of the result."""
    verdict = compare(Metric.R2, version=VERSION, champion=-INF, challenger=NAN, min_improvement=0.0)
    assert verdict.to_result() == ChampionResult(
        version=VERSION, metric=Metric.R2, passed=False, outcome=GateOutcome.FAILED
    )


def test_too_few_rows_are_inconclusive() -> None:
    """A challenger that seems better is not published, and one that seems worse did not lose."""
    verdict = inconclusive(Metric.AUC, version=VERSION, champion=0.5, challenger=0.9, rows=3)
    assert not verdict.passed
    assert verdict.to_result() == ChampionResult(
        version=VERSION,
        metric=Metric.AUC,
        champion=0.5,
        challenger=0.9,
        passed=False,
        outcome=GateOutcome.INCONCLUSIVE,
    )
