"""Fields that the JSON forms of features and outputs share: moments, quantiles, tolerance, importance, atoms, measure.

Profiles of older releases lack some of them; readers then return what such a profile means.
"""

from __future__ import annotations

import base64

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.documents import Node
from perennate.drift.profile.dates import MEASURES, Measure
from perennate.drift.profile.quantiles import POINTS, QuantilePositions, positions_rise

MAX_TOLERANCE = 1e-3
MOMENTS = ("minimum", "maximum", "mean", "sd")


def read_moments(node: Node, fields: dict[str, Node]) -> dict[str, float | None]:
    """Read minimum, maximum, mean and standard deviation: consistent numbers, or all null."""
    moments = {key: fields[key].optional_number() for key in MOMENTS}
    if len({value is None for value in moments.values()}) != 1:
        raise node.error(f"{node.path}: {', '.join(MOMENTS)} must be all numbers or all null")
    low, high, sd = moments["minimum"], moments["maximum"], moments["sd"]
    if low is not None and high is not None and sd is not None and (low > high or sd < 0):
        raise node.error(f"{node.path}: must have minimum <= maximum and sd >= 0")
    return moments


def check_edges(node: Node, edges: Floats, moments: dict[str, float | None]) -> None:
    """Refuse edges of bins outside of the training values."""
    low, high = moments["minimum"], moments["maximum"]
    if low is None or high is None:
        if edges.size:
            raise node.error(f"{node.path}.edges: must be empty when there is no minimum and maximum")
    elif edges.size and not low <= edges[0] <= edges[-1] < high:
        raise node.error(f"{node.path}: must have minimum <= edges < maximum")


def quantile_positions_document(quantile_positions: QuantilePositions | None) -> dict[str, str]:
    """The JSON form of the quantiles, as part of an object."""
    return {} if quantile_positions is None else {"grid": base64.b64encode(quantile_positions.tobytes()).decode()}


def read_quantile_positions(fields: dict[str, Node], counts: Ints, *, empty: bool) -> QuantilePositions | None:
    """Read the quantiles; None in profiles of older releases."""
    if "grid" not in fields:
        return None
    quantile_positions = fields["grid"].octets()
    wanted = 0 if empty else POINTS
    if quantile_positions.size != wanted or (
        wanted and not (counts.any() and positions_rise(quantile_positions, counts))
    ):
        fields["grid"].refuse(f"{wanted} bytes in base64, ascending inside each bin")
    return quantile_positions


def read_measure(fields: dict[str, Node], kind: str) -> Measure | None:
    """Read what of a date is compared; profiles of older releases compare the time of day."""
    if kind != "datetime":
        return None
    found = fields["measure"].text(allowed=MEASURES) if "measure" in fields else "timeOfDay"
    return "date" if found == "date" else "timeOfDay"


def tolerance_document(tolerance: float) -> dict[str, float]:
    """The JSON form of a tolerance, as part of an object."""
    return {"tolerance": tolerance} if tolerance else {}


def read_tolerance(fields: dict[str, Node]) -> float:
    """Read a tolerance; 0 in profiles of older releases."""
    if "tolerance" not in fields:
        return 0.0
    tolerance = fields["tolerance"].number()
    if not 0 < tolerance <= MAX_TOLERANCE:
        fields["tolerance"].refuse(f"a number above 0 and at most {MAX_TOLERANCE:g}")
    return tolerance


def importance_document(importance: float | None) -> dict[str, float]:
    """The JSON form of an importance, as part of an object."""
    return {} if importance is None else {"importance": importance}


def read_importance(fields: dict[str, Node]) -> float | None:
    """Read an importance; None if it is unknown."""
    return fields["importance"].number() if "importance" in fields else None


def read_atoms(fields: dict[str, Node], bins: int) -> Ints | None:
    """Read the positions of the bins of frequent values; two bins at least hold other values."""
    if "atoms" not in fields:
        return None
    atoms = fields["atoms"].positions(bins)
    if not 0 < atoms.size <= bins - 2:
        fields["atoms"].refuse(f"1 to {bins - 2} positions")
    return atoms
