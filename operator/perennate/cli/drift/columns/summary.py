"""Statistics of a column of the reference, from its profile."""

from __future__ import annotations

from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.outputs import Score
from perennate.drift.profile.quantiles import POINTS
from perennate.report.document import Summary


def reference_summary(feature: NumericFeature | Score) -> Summary | None:
    """Mean, ends and quantiles; None without values. Profiles of older releases have no quantiles."""
    if feature.minimum is None:
        return None
    found = {"mean": feature.mean, "minimum": feature.minimum, "maximum": feature.maximum}
    if feature.grid is not None:
        for name, share in (("05", 0.05), ("25", 0.25), ("75", 0.75), ("95", 0.95)):
            found[f"quantile{name}"] = float(feature.grid[round(share * (POINTS - 1))])
        found["median"] = float(feature.grid[(POINTS - 1) // 2])
    return Summary(**found)
