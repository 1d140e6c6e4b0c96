"""Read the counts document of a pod. Pods are not trusted: every field is checked against the profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.documents import MAX_COUNT, abbreviated
from perennate.drift.data.errors import CountsError
from perennate.drift.data.parsing import check_schema, convert, decode
from perennate.drift.profile.layout import ERRORS, LABELS, MAX_OFFSET, OFFSET_STEPS, ROWS, SEEN, SPECIAL, Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.counts import SCHEMA, Counts

MAX_LISTS = 16_384
"""Most lists of any counts document, with brackets in names; one of 3,000 features has about 3,000."""
MAX_SUM = 2**63 - 1
"""Sums of offsets and of powers of errors are 64-bit integers; they may exceed `MAX_COUNT`."""

Count: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Sum: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_SUM)]
Offset: TypeAlias = Annotated[int, Meta(ge=-MAX_SUM, le=MAX_SUM)]
Time: TypeAlias = Annotated[float, Meta(ge=0, le=MAX_COUNT)]
"""Seconds since 1970."""


class LabelCounts(msgspec.Struct, forbid_unknown_fields=True):
    """Labelled rows of a binary classifier by score bin."""

    negative: list[Count] | UnsetType = msgspec.field(default=UNSET, name=LABELS[0])
    positive: list[Count] | UnsetType = msgspec.field(default=UNSET, name=LABELS[1])


class ResidualCounts(msgspec.Struct, forbid_unknown_fields=True):
    """Labelled rows of a regression by bin of the residual, and sums of the residuals."""

    bins: list[Count]
    sums: list[Sum]


class CountsDocument(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The fields of the document in the order of `counts_document`; older pods do not write those with a default."""

    schema: str
    model: str
    version: str
    profile_digest: str
    start: Time
    rows: Count
    errors: Count
    features: list[str]
    counts: list[list[Count]]
    below: list[Count]
    above: list[Count]
    missing: list[Count]
    other: list[Count]
    sum: list[float | None]
    sumsq: list[float | None]
    score: list[Count]
    labels: LabelCounts
    seen: Count | UnsetType = UNSET
    offsets: list[Offset | None] | UnsetType = UNSET
    prediction: list[Count] | UnsetType = UNSET
    confusion: list[list[Count]] | UnsetType = UNSET
    residuals: ResidualCounts | UnsetType = UNSET
    delays: list[Count] | UnsetType = UNSET
    unscored: Count | UnsetType = UNSET
    target: list[Count] | UnsetType = UNSET


def check_lists(content: bytes, most: int = MAX_LISTS) -> None:
    """Check the number of lists before a document is decoded: a million of them take 64 MiB, and to skip them 70 ms.

    Raises:
        CountsError: there are more opening brackets.
    """
    if (found := content.count(b"[")) > most:
        raise CountsError(f"document: must have at most {most} lists, got {found}")


def read_counts(content: bytes, layout: Layout) -> Counts:
    """Read a counts document from bytes.

    Args:
        content: the document; its size is checked before it is decoded.
        layout: of the profile that the document counts against.

    Raises:
        CountsError: as `validate_counts`, or the content is too large or not JSON.
    """
    if len(content) > layout.document_limit:
        raise CountsError(f"document: must have at most {layout.document_limit} bytes, got {len(content)}")
    check_lists(content, layout.list_limit)
    try:
        document = decode(content, CountsDocument, CountsError)
    except CountsError:
        check_schema(content, SCHEMA, CountsError)
        raise
    return _read(document, layout)


def validate_counts(document: object, profile: Profile, *, layout: Layout | None = None) -> Counts:
    """Read a counts document that is already parsed.

    Args:
        document: the parsed JSON.
        profile: the profile that the document counts against.
        layout: of the profile, if the caller has one.

    Raises:
        CountsError: a field is missing, unknown, or of the wrong type, range or length; digest or features are not the
            profile's; or the cells of a feature do not add up to the rows.
    """
    try:
        found = convert(document, CountsDocument, CountsError)
    except CountsError:
        check_schema(document, SCHEMA, CountsError)
        raise
    return _read(found, layout or Layout(profile))


def _read(document: CountsDocument, layout: Layout) -> Counts:
    digest, features = layout.profile.digest, len(layout.features)
    if document.schema != SCHEMA:
        check_schema({"schema": document.schema}, SCHEMA, CountsError)
    if document.profile_digest != digest:
        raise CountsError(f"profileDigest: must be {digest}, got {abbreviated(document.profile_digest)}")
    if document.features != layout.names:
        raise CountsError("features: must be the profile's features in their order")
    cells = np.zeros(layout.size, dtype=np.int64)
    cells[ROWS], cells[ERRORS] = document.rows, document.errors
    cells[layout.bin_positions] = _joined(document.counts, layout.bin_counts, "counts")
    for name, positions in zip(SPECIAL, layout.specials, strict=True):
        cells[positions] = _of_length(getattr(document, name), features, name)
    _check_sums(layout, cells)
    seen = document.rows if document.seen is UNSET else document.seen
    if seen < document.rows:
        raise CountsError(f"seen: must be at least rows = {document.rows}, got {seen}")
    cells[SEEN] = seen
    _read_outputs(layout, document, cells)
    cells[layout.offsets] = _read_offsets(layout, document, cells)
    return Counts(profile_digest=digest, start=document.start, cells=cells)


def _read_outputs(layout: Layout, document: CountsDocument, cells: Ints) -> None:
    """Read scores, predicted classes and labels into `cells`."""
    parts: list[tuple[str, list[int] | UnsetType, slice]] = [
        ("score", document.score, layout.score),
        ("prediction", document.prediction, layout.prediction),
        ("delays", document.delays, layout.delays),
        ("unscored", UNSET if document.unscored is UNSET else [document.unscored], layout.unscored),
        ("target", document.target, layout.target),
    ]
    for index, labels in enumerate((document.labels.negative, document.labels.positive)):
        if (labels is UNSET) == (index < layout.label_rows):
            raise CountsError(f"labels.{LABELS[index]}: {'is required' if labels is UNSET else 'must be absent'}")
        parts.append((f"labels.{LABELS[index]}", labels, layout.label(index)))
    if document.residuals is not UNSET:
        parts.append(("residuals.bins", document.residuals.bins, layout.residual))
        parts.append(("residuals.sums", document.residuals.sums, layout.residual_sums))
    for path, values, part in parts:
        if values is not UNSET:
            cells[part] = _of_length(values, part.stop - part.start, path)
    if document.confusion is not UNSET:
        classes = len(layout.profile.classes) if layout.profile.label_kind == "classes" else 0
        cells[layout.confusion] = _joined(document.confusion, [classes] * classes, "confusion")


def _of_length(values: list[int], length: int, path: str) -> list[int]:
    if len(values) != length:
        raise CountsError(f"{path}: must have {length} items, got {len(values)}")
    return values


def _joined(lists: list[list[int]], lengths: list[int], path: str) -> list[int]:
    """Concatenate lists, each of its expected length."""
    if len(lists) != len(lengths):
        raise CountsError(f"{path}: must have {len(lengths)} items, got {len(lists)}")
    for index, (values, length) in enumerate(zip(lists, lengths, strict=True)):
        _of_length(values, length, f"{path}[{index}]")
    return [value for values in lists for value in values]


def _read_offsets(layout: Layout, document: CountsDocument, cells: Ints) -> Ints:
    """Read the offsets; derive them from the sums if the pod is too old to write them, (numeric features,)."""
    sums = _numeric(document.sum, layout, "sum")
    _numeric(document.sumsq, layout, "sumsq")
    if document.offsets is not UNSET:
        largest = min(document.rows * MAX_OFFSET, MAX_SUM)
        offsets = np.array(_numeric_items(document.offsets, layout, "offsets"), dtype=np.int64)
        _check(np.abs(offsets) <= largest, layout, "offsets", f"must be from -{largest} to {largest}")
        return offsets
    totals = np.add.reduceat(cells[: layout.score_start], layout.starts[:-1]) - cells[layout.specials[2:]].sum(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.nan_to_num(
            (sums - totals[layout.numeric] * layout.means) / layout.standard_deviations * OFFSET_STEPS
        )
    return np.asarray(np.rint(np.clip(steps, -MAX_COUNT, MAX_COUNT)), dtype=np.int64)


def _numeric(values: list[float | None], layout: Layout, path: str) -> Floats:
    """The sums of the numeric features, (numeric features,)."""
    sums = np.array(_numeric_items(values, layout, path), dtype=np.float64)
    _check(np.isfinite(sums), layout, path, "must be a finite number")
    return sums


def _numeric_items(values: Sequence[float | None], layout: Layout, path: str) -> list[float | None]:
    """The items of the numeric features from a list for all features, in which those of categories are null."""
    if len(values) != len(layout.features):
        raise CountsError(f"{path}: must have {len(layout.features)} items, got {len(values)}")
    numeric = set(layout.numeric.tolist())
    for index, value in enumerate(values):
        if (value is None) == (index in numeric):
            allowed = "a finite number" if index in numeric else "null for a category"
            raise CountsError(f"{path}[{index}]: must be {allowed}, got {'null' if value is None else value}")
    return [values[index] for index in layout.numeric.tolist()]


def _check(valid: np.ndarray, layout: Layout, path: str, allowed: str) -> None:
    """Raise for the first numeric feature that is not valid."""
    if not valid.all():
        raise CountsError(f"{path}[{layout.numeric[valid.argmin()]}]: {allowed}")


def _check_sums(layout: Layout, cells: Ints) -> None:
    """Raise unless every row is in exactly one cell of every feature."""
    totals = np.add.reduceat(cells[: layout.score_start], layout.starts[:-1])
    wrong = np.flatnonzero(totals != cells[ROWS])
    if wrong.size:
        index = int(wrong[0])
        raise CountsError(
            f"counts[{index}]: bins, below, above, missing and other of {layout.features[index].name!r} must add up to "
            f"rows = {cells[ROWS]}, got {totals[index]}"
        )
