"""The counts of a pod, and the document that a serving pod returns at `/counts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.profile.layout import ERRORS, LABELS, ROWS, SEEN, SPECIAL, Layout

SCHEMA = "perennate.dev/counts/v1"


@dataclass(frozen=True, eq=False)
class Counts:
    """The counts of one pod since it started.

    Args:
        profile_digest: digest of the profile that was counted against.
        start: when the pod began to count, in seconds since 1970.
        cells: counts in the order of Layout, (cells,).
    """

    profile_digest: str
    start: float
    cells: Ints

    @property
    def rows(self) -> int:
        """Number of counted rows."""
        return int(self.cells[ROWS])

    @property
    def errors(self) -> int:
        """Number of batches that could not be counted."""
        return int(self.cells[ERRORS])


def counts_document(
    layout: Layout, cells: Ints, moments: Floats, *, model: str, version: str, start: float
) -> dict[str, Any]:
    """Build the counts document of a pod.

    Args:
        layout: the profile's layout.
        cells: counts, (cells,).
        moments: sum and sum of squares of the finite values of each numeric feature, (2, numeric features).
        model: name of the served model line.
        version: digest of the served version.
        start: when the pod began to count, in seconds since 1970.
    """
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "model": model,
        "version": version,
        "profileDigest": layout.profile.digest,
        "start": start,
        "rows": int(cells[ROWS]),
        "seen": int(cells[SEEN]),
        "errors": int(cells[ERRORS]),
        "features": [*layout.names],
        "counts": [cells[bins].tolist() for bins in layout.bin_slices],
    }
    document |= {name: cells[positions].tolist() for name, positions in zip(SPECIAL, layout.specials, strict=True)}
    # Sums that overflow are written as the largest float, since JSON has no infinity.
    document |= {
        name: _by_feature(layout, row) for name, row in zip(("sum", "sumsq"), np.nan_to_num(moments), strict=True)
    }
    document["offsets"] = _by_feature(layout, cells[layout.offsets])
    document["score"] = cells[layout.score].tolist()
    document["labels"] = {LABELS[index]: cells[layout.label(index)].tolist() for index in range(layout.label_rows)}
    classes = len(layout.profile.classes)
    if layout.profile.prediction is not None:
        document["prediction"] = cells[layout.prediction].tolist()
    if layout.profile.label_kind == "classes":
        document["confusion"] = cells[layout.confusion].reshape(classes, classes).tolist()
    if layout.profile.label_kind == "residuals":
        document["residuals"] = {
            "bins": cells[layout.residual].tolist(),
            "sums": cells[layout.residual_sums].tolist(),
        }
    if layout.profile.label_kind is not None:
        document["delays"] = cells[layout.delays].tolist()
    if cells[layout.unscored].size:
        document["unscored"] = int(cells[layout.unscored][0])
    if layout.profile.target is not None:
        document["target"] = cells[layout.target].tolist()
    return document


def _by_feature(layout: Layout, values: Floats | Ints) -> list[Any]:
    """Values of the numeric features in a list with an item for each feature, null for categories."""
    items: list[Any] = [None] * len(layout.features)
    for index, value in zip(layout.numeric.tolist(), values.tolist(), strict=True):
        items[index] = value
    return items
