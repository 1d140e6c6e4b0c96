"""Ids of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.serving.capture.identifiers import PredictionId, make_ids, parse_id

if TYPE_CHECKING:
    from perennate.drift.profile.profile import LabelKind

VERSION = "0123456789ab"


ANSWERS: dict[LabelKind, st.SearchStrategy[float]] = {
    "scores": st.integers(0, 50),
    "classes": st.integers(0, 29),
    "residuals": st.floats(allow_nan=False, allow_infinity=False),
}


@given(
    data=st.data(),
    kind=st.sampled_from(sorted(ANSWERS)),
    time_ms=st.integers(10**12, 10**13 - 1),
    token=st.text("0123456789abcdef", min_size=10, max_size=10),
)
def test_id_round_trip_is_exact(data: st.DataObject, kind: LabelKind, time_ms: int, token: str) -> None:
    """Version, answer and time can be read from the id alone, so feedback needs no storage."""
    answers = data.draw(st.lists(st.none() | ANSWERS[kind], min_size=1, max_size=40))
    ids = make_ids(version=VERSION, kind=kind, answers=answers, time_ms=time_ms, token=token)
    for text, answer in zip(ids, answers, strict=True):
        found = parse_id(text)
        assert found == PredictionId(VERSION, None if answer is None else kind, answer, time_ms, found.random)


def test_id_without_label_kind_has_no_answer() -> None:
    (text,) = make_ids(version=VERSION, kind=None, answers=[3], time_ms=1_767_225_600_000, token="0123456789")  # noqa: S106
    assert (parse_id(text).kind, parse_id(text).answer) == (None, None)


@pytest.mark.parametrize("rows", [1, 1024, 1025, 10_000])
def test_rows_of_one_request_have_different_ids(rows: int) -> None:
    """This also holds for rows with equal score bin and time."""
    ids = make_ids(version=VERSION, kind="scores", answers=[3] * rows, time_ms=1_767_225_600_000, token="0123456789")  # noqa: S106
    assert len(set(ids)) == rows
    assert all(parse_id(text).answer == 3 for text in ids)


@pytest.mark.parametrize(
    "text",
    {
        "": "",
        "no parts": "0123456789ab",
        "short version": "0123.3.1767225600000.01234567890",
        "negative bin": "0123456789ab.-1.1767225600000.01234567890",
        "class of letters": "0123456789ab.cx.1767225600000.01234567890",
        "short value": "0123456789ab.r3ff.1767225600000.01234567890",
        "bin of letters": "0123456789ab.x.1767225600000.01234567890",
        "time in seconds": "0123456789ab.3.1767225600.01234567890",
        "no random": "0123456789ab.3.1767225600000.",
        "newline at the end": "0123456789ab.3.1767225600000.01234567890\n",
        "upper case": "0123456789AB.3.1767225600000.01234567890",
        "other digits": "0123456789ab.٣.1767225600000.01234567890",
        "very long": "0" * 1_000_000,
    }.values(),
)
def test_malformed_ids_are_refused(text: str) -> None:
    """A wrong column of ids is detected, and its labels are not counted."""
    with pytest.raises(ValueError, match="must be a prediction id"):
        parse_id(text)
