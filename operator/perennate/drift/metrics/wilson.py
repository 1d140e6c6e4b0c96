"""Confidence interval of a share."""

from __future__ import annotations

import math

from scipy.special import ndtri


def wilson_interval(share: float, rows: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval, which is within 0 to 1 and accurate for few rows and for shares near 0 or 1.

    E. B. Wilson, Journal of the American Statistical Association 22 (1927).

    Args:
        share: observed share, 0 to 1.
        rows: number of rows, or effective sample size, above 0; may be fractional.
        confidence: two-sided level, e.g. 0.95.
    """
    z = float(ndtri(0.5 + confidence / 2))
    scale = 1 + z * z / rows
    centre = (share + z * z / (2 * rows)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    # Despite rounding, the interval must contain the share and be within 0 to 1.
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))
