"""The counts document: what a serving pod hands out at `/counts`, and its strict reading in the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perennate.drift.arrays import Floats, Ints
from perennate.drift.documents import DocumentError, Node
from perennate.drift.layout import ERRORS, LABELS, ROWS, SPECIAL, Layout
from perennate.drift.profile import Profile

SCHEMA = "perennate.dev/counts/v1"
FIELDS = (
    *("schema", "model", "version", "profileDigest", "start", "rows", "errors", "features", "counts", *SPECIAL),
    *("sum", "sumsq", "score", "labels"),
)


class CountsError(DocumentError):
    """A counts document that does not follow its schema or its profile; the message names the field."""


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
        moments: sum and sum of squares of the finite values of each feature, (2, features).
        model: model line that is served.
        version: digest of the version that is served.
        start: when counting began, in seconds since 1970.
    """
    names = [feature.name for feature in layout.features]
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "model": model,
        "version": version,
        "profileDigest": layout.profile.digest,
        "start": start,
        "rows": int(cells[ROWS]),
        "errors": int(cells[ERRORS]),
        "features": names,
        "counts": [cells[bins].tolist() for bins in layout.bin_slices],
    }
    document |= {name: cells[places].tolist() for name, places in zip(SPECIAL, layout.specials, strict=True)}
    # The sum of very large values overflows; the largest number stands for it, since JSON holds no infinity.
    bounded = np.nan_to_num(moments)
    for name, row in zip(("sum", "sumsq"), bounded.tolist(), strict=True):
        document[name] = [
            value if feature.kind == "numeric" else None for value, feature in zip(row, layout.features, strict=True)
        ]
    document["score"] = cells[layout.score].tolist()
    document["labels"] = {LABELS[index]: cells[layout.label(index)].tolist() for index in range(layout.label_rows)}
    return document


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
    fields = Node(document, "", CountsError).fields(FIELDS)
    fields["schema"].text(allowed=(SCHEMA,))
    fields["profileDigest"].text(allowed=(profile.digest,))
    fields["model"].text()
    fields["version"].text()
    if list(fields["features"].texts()) != [feature.name for feature in layout.features]:
        fields["features"].refuse("the profile's features in their order")
    cells = np.zeros(layout.size, dtype=np.int64)
    cells[ROWS], cells[ERRORS] = fields["rows"].count(), fields["errors"].count()
    for bins, node in zip(layout.bin_slices, fields["counts"].items(length=len(layout.features)), strict=True):
        cells[bins] = node.counts(length=bins.stop - bins.start)
    for name, places in zip(SPECIAL, layout.specials, strict=True):
        cells[places] = fields[name].counts(length=len(layout.features))
    _check_moments(layout, fields["sum"], fields["sumsq"])
    cells[layout.score] = fields["score"].counts(length=layout.score_bins)
    labels = fields["labels"].fields(LABELS[: layout.label_rows])
    for index in range(layout.label_rows):
        cells[layout.label(index)] = labels[LABELS[index]].counts(length=layout.score_bins)
    _check_sums(layout, cells)
    return Counts(profile_digest=profile.digest, start=fields["start"].number(), cells=cells)


def _check_moments(layout: Layout, *nodes: Node) -> None:
    """Sums are numbers for numeric features and null for categories. They are for people; no test uses them."""
    for node in nodes:
        for item, feature in zip(node.items(length=len(layout.features)), layout.features, strict=True):
            if feature.kind == "numeric":
                item.number()
            elif item.value is not None:
                item.refuse("null for a category")


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
