"""The counts document: what a serving pod hands out at `/counts`, and its strict reading in the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.documents import MAX_COUNT, Node
from perennate.drift.data.errors import CountsError
from perennate.drift.profile.layout import ERRORS, LABELS, MAX_OFFSET, OFFSET_STEPS, ROWS, SEEN, SPECIAL, Layout
from perennate.drift.profile.profile import Profile

SCHEMA = "perennate.dev/counts/v1"
FIELDS = (
    *("schema", "model", "version", "profileDigest", "start", "rows", "errors", "features", "counts", *SPECIAL),
    *("sum", "sumsq", "score", "labels"),
)
NEWER = "seen", "prediction", "confusion", "residuals", "delays", "offsets"
"""Fields that older pods do not write, and newer ones only where they mean something."""
MAX_SUM = 2**63 - 1
"""Sums of offsets and of powers of errors may pass what a reader of JavaScript numbers holds; it is whole numbers all
the way."""


@dataclass(frozen=True, eq=False)
class Counts:
    """What one pod counted since it started.

    Args:
        profile_digest: key of the profile that was counted against.
        start: when the pod began to count, in seconds since 1970.
        cells: all counts in the order of Layout, (cells,).
    """

    profile_digest: str
    start: float
    cells: Ints

    @property
    def rows(self) -> int:
        """Rows that were counted."""
        return int(self.cells[ROWS])

    @property
    def errors(self) -> int:
        """Requests whose rows could not be counted."""
        return int(self.cells[ERRORS])


def counts_document(
    layout: Layout, cells: Ints, moments: Floats, *, model: str, version: str, start: float
) -> dict[str, Any]:
    """The counts document of a pod.

    Args:
        layout: the profile's layout.
        cells: counts, (cells,).
        moments: sum and sum of squares of the finite values of each numeric feature, (2, numeric features).
        model: model line that is served.
        version: digest of the version that is served.
        start: when counting began, in seconds since 1970.
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
    document |= {name: cells[places].tolist() for name, places in zip(SPECIAL, layout.specials, strict=True)}
    # The sum of very large values overflows; the largest number stands for it, since JSON holds no infinity.
    document |= {name: _spread(layout, row) for name, row in zip(("sum", "sumsq"), np.nan_to_num(moments), strict=True)}
    document["offsets"] = _spread(layout, cells[layout.offsets])
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
    return document


def _spread(layout: Layout, values: Floats | Ints) -> list[Any]:
    """Values of the numeric features among all features, null for categories."""
    spread: list[Any] = [None] * len(layout.features)
    for index, value in zip(layout.numeric.tolist(), values.tolist(), strict=True):
        spread[index] = value
    return spread


def profile_digest_of(document: object) -> str | None:
    """The profile that a counts document says it counts against, before anything else of it is read."""
    digest = document.get("profileDigest") if isinstance(document, dict) else None
    return digest if isinstance(digest, str) else None


def validate_counts(document: object, profile: Profile, *, layout: Layout | None = None) -> Counts:
    """Read a counts document against the profile that it counts against.

    Args:
        document: the parsed JSON.
        profile: reference whose digest the document carries.
        layout: the profile's layout, if it is at hand.

    Raises:
        CountsError: a field is missing, unknown, of the wrong length, or holds anything but whole numbers from 0; the
            bins and cells of a feature do not add up to the rows; features or digest are not the profile's.
    """
    layout = layout or Layout(profile)
    fields = Node(document, "", CountsError).fields(FIELDS, optional=NEWER)
    fields["schema"].text(allowed=(SCHEMA,))
    fields["profileDigest"].text(allowed=(profile.digest,))
    fields["model"].text()
    fields["version"].text()
    if fields["features"].value != layout.names:
        fields["features"].refuse("the profile's features in their order")
    cells = np.zeros(layout.size, dtype=np.int64)
    cells[ROWS], cells[ERRORS] = fields["rows"].count(), fields["errors"].count()
    cells[layout.bin_places] = fields["counts"].joined_counts(layout.bin_counts)
    for name, places in zip(SPECIAL, layout.specials, strict=True):
        cells[places] = fields[name].counts(length=len(layout.features))
    places, length = layout.numeric.tolist(), len(layout.features)
    sums, _ = (fields[name].numbers_at(places, length=length) for name in ("sum", "sumsq"))
    cells[layout.score] = fields["score"].counts(length=layout.score_bins)
    labels = fields["labels"].fields(LABELS[: layout.label_rows])
    for index in range(layout.label_rows):
        cells[layout.label(index)] = labels[LABELS[index]].counts(length=layout.score_bins)
    _check_sums(layout, cells)
    cells[SEEN] = fields["seen"].whole(int(cells[ROWS]), MAX_COUNT) if "seen" in fields else cells[ROWS]
    _read_outcomes(layout, fields, cells)
    cells[layout.offsets] = _read_offsets(layout, fields, cells, sums)
    return Counts(profile_digest=profile.digest, start=fields["start"].moment(), cells=cells)


def _read_outcomes(layout: Layout, fields: dict[str, Node], cells: Ints) -> None:
    """Predicted classes and labels, as far as this profile counts them and the pod is new enough."""
    classes = len(layout.profile.classes)
    if "prediction" in fields:
        cells[layout.prediction] = fields["prediction"].counts(length=_size(layout.prediction))
    if "confusion" in fields:
        rows = fields["confusion"].items(length=classes if _size(layout.confusion) else 0)
        cells[layout.confusion] = [count for row in rows for count in row.counts(length=classes)]
    if "residuals" in fields:
        inner = fields["residuals"].fields(("bins", "sums"))
        cells[layout.residual] = inner["bins"].counts(length=_size(layout.residual))
        sums = inner["sums"].items(length=_size(layout.residual_sums))
        cells[layout.residual_sums] = [item.whole(0, MAX_SUM) for item in sums]
    if "delays" in fields:
        cells[layout.delays] = fields["delays"].counts(length=_size(layout.delays))


def _size(part: slice) -> int:
    return int(part.stop - part.start)


def _read_offsets(layout: Layout, fields: dict[str, Node], cells: Ints, sums: Floats) -> Ints:
    """Offsets as they were counted; of an older pod, from its sums."""
    if "offsets" in fields:
        most = min(int(cells[ROWS]) * MAX_OFFSET, MAX_SUM)
        return fields["offsets"].whole_at(layout.numeric.tolist(), length=len(layout.features), most=most)
    totals = np.add.reduceat(cells[: layout.score_start], layout.starts[:-1]) - cells[layout.specials[2:]].sum(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.nan_to_num((sums - totals[layout.numeric] * layout.means) / layout.spreads * OFFSET_STEPS)
    return np.asarray(np.rint(np.clip(steps, -MAX_COUNT, MAX_COUNT)), dtype=np.int64)


def _check_sums(layout: Layout, cells: Ints) -> None:
    """Every row adds one to exactly one cell of every feature."""
    totals = np.add.reduceat(cells[: layout.score_start], layout.starts[:-1])
    wrong = np.flatnonzero(totals != cells[ROWS])
    if wrong.size:
        index = int(wrong[0])
        raise CountsError(
            f"counts[{index}]: bins, below, above, missing and other of {layout.features[index].name!r} must add up to "
            f"rows = {cells[ROWS]}, got {totals[index]}"
        )
