"""The comparison of a new model with the champion on the same hold-out rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.api.documents.metric import bounded
from perennate.api.documents.stage_result import ChampionResult, GateOutcome

if TYPE_CHECKING:
    from perennate.api.documents.metric import Metric

_DIGITS: Final = 12
"""Decimal places of a difference, so that 0.3 - 0.2 counts as 0.1."""


@dataclass(frozen=True)
class ChampionVerdict:
    """The verdict of the comparison. `reason` is a sentence for people, also if the new model passed."""

    metric: Metric
    version: str | None
    champion: float | None
    challenger: float | None
    outcome: GateOutcome
    reason: str

    @property
    def passed(self) -> bool:
        """Whether the new model may be published."""
        return self.outcome is GateOutcome.PASSED

    def to_result(self) -> ChampionResult:
        """The verdict for the status, without values that are not finite."""
        return ChampionResult(
            version=self.version,
            metric=self.metric,
            champion=_bounded(self.champion),
            challenger=_bounded(self.challenger),
            passed=self.passed,
            outcome=self.outcome,
        )


def compare(
    metric: Metric, *, version: str, champion: float | None, challenger: float | None, min_improvement: float
) -> ChampionVerdict:
    """Whether the new model beats the champion.

    Both values come from the same rows. The new model passes only if it is better, by at least `min_improvement`. An
    equal model fails even with the default of 0, because it gives no reason for a rollout.

    Args:
        metric: the compared metric; for errors and losses, smaller is better.
        version: digest of the champion.
        champion: value of the champion; None if it could not be computed.
        challenger: value of the new model; None if it could not be computed.
        min_improvement: required improvement, at least 0, in the unit of the metric.
    """
    if champion is None or challenger is None or not math.isfinite(champion) or not math.isfinite(challenger):
        reason = f"{metric.value} is undefined for {'the champion' if _finite(champion) is None else 'the new model'}"
        return ChampionVerdict(metric, version, champion, challenger, GateOutcome.FAILED, reason)
    difference = challenger - champion if metric.greater_is_better else champion - challenger
    improvement = round(difference, _DIGITS)
    won = improvement > 0 and improvement >= min_improvement
    reason = (
        f"{metric.value} {challenger:.6g} against {champion:.6g} of the champion: "
        f"improvement {improvement:.6g}, required {_required(min_improvement)}"
    )
    outcome = GateOutcome.PASSED if won else GateOutcome.FAILED
    return ChampionVerdict(metric, version, champion, challenger, outcome, reason)


def no_champion(
    metric: Metric, *, challenger: float | None, reason: str, version: str | None = None
) -> ChampionVerdict:
    """The passing verdict without a champion, with the reason."""
    return ChampionVerdict(metric, version, None, challenger, GateOutcome.PASSED, reason)


def no_comparison(metric: Metric, *, version: str, challenger: float | None, reason: str) -> ChampionVerdict:
    """The failing verdict for a champion that cannot be compared: without a comparison there is no rollout."""
    return ChampionVerdict(metric, version, None, challenger, GateOutcome.FAILED, reason)


def inconclusive(
    metric: Metric, *, version: str, champion: float | None, challenger: float | None, rows: int
) -> ChampionVerdict:
    """The verdict for too few hold-out rows: neither passed nor failed, and no rollout."""
    reason = f"{metric.value} on {rows} hold-out rows is inconclusive"
    return ChampionVerdict(metric, version, champion, challenger, GateOutcome.INCONCLUSIVE, reason)


def _required(min_improvement: float) -> str:
    return f"{min_improvement:.6g} or more" if min_improvement > 0 else "more than 0"


def _bounded(value: float | None) -> float | None:
    finite = _finite(value)
    return None if finite is None else bounded(finite)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
