"""The comparison of a new model with the one in service, on the same hold-out rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.api.documents.stage_result import ChampionResult

if TYPE_CHECKING:
    from perennate.api.documents.metric import Metric

_DIGITS: Final = 12
"""Decimal places to which a difference is taken, so that 0.3 - 0.2 counts as the 0.1 that was asked for."""


@dataclass(frozen=True)
class ChampionVerdict:
    """How the comparison went. `reason` is a sentence for people, also when it passed."""

    metric: Metric
    version: str | None
    champion: float | None
    challenger: float | None
    passed: bool
    reason: str

    def to_result(self) -> ChampionResult:
        """The verdict for the status; values that are not finite are left out."""
        return ChampionResult(
            version=self.version,
            metric=self.metric,
            champion=_finite(self.champion),
            challenger=_finite(self.challenger),
            passed=self.passed,
        )


def compare(
    metric: Metric, *, version: str, champion: float | None, challenger: float | None, min_improvement: float
) -> ChampionVerdict:
    """Whether the new model beats the one in service.

    The difference is paired: both values come from the same rows. It passes only if the new model is better, by
    `min_improvement` at least: an equal model is no reason to change what runs, so with the default of 0 it fails.

    Args:
        metric: what is compared; for errors and losses, smaller is better.
        version: digest of the champion.
        champion: value of the model in service; None when it could not be computed.
        challenger: value of the new model; None when it could not be computed.
        min_improvement: by how much it must be better, at least 0, in the metric's own unit.
    """
    if champion is None or challenger is None or not math.isfinite(champion) or not math.isfinite(challenger):
        reason = f"{metric.value} is undefined for {'the champion' if _finite(champion) is None else 'the new model'}"
        return ChampionVerdict(metric, version, champion, challenger, passed=False, reason=reason)
    difference = challenger - champion if metric.greater_is_better else champion - challenger
    improvement = round(difference, _DIGITS)
    return ChampionVerdict(
        metric,
        version,
        champion,
        challenger,
        passed=improvement > 0 and improvement >= min_improvement,
        reason=(
            f"{metric.value} {challenger:.6g} against {champion:.6g} of the model in service: "
            f"better by {improvement:.6g}, wanted {_wanted(min_improvement)}"
        ),
    )


def no_champion(
    metric: Metric, *, challenger: float | None, reason: str, version: str | None = None
) -> ChampionVerdict:
    """The verdict when there is nothing to beat: it passes, and says why."""
    return ChampionVerdict(metric, version, None, challenger, passed=True, reason=reason)


def no_comparison(metric: Metric, *, version: str, challenger: float | None, reason: str) -> ChampionVerdict:
    """The verdict when there is a champion that cannot be compared: what is not known never replaces what runs."""
    return ChampionVerdict(metric, version, None, challenger, passed=False, reason=reason)


def _wanted(min_improvement: float) -> str:
    return f"{min_improvement:.6g} or more" if min_improvement > 0 else "more than 0"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
