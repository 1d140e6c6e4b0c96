"""Ids of predictions survive the way to the caller and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.serving.identifiers import PredictionId, make_ids, parse_id

VERSION = "0123456789ab"


@given(
    bins=st.lists(st.integers(-1, 50), min_size=1, max_size=40),
    time_ms=st.integers(10**12, 10**13 - 1),
    token=st.text("0123456789abcdef", min_size=10, max_size=10),
)
def test_an_id_says_what_it_was_made_of(bins: list[int], time_ms: int, token: str) -> None:
    """Version, score bin and time come back from the id alone: feedback needs no storage."""
    ids = make_ids(version=VERSION, score_bins=bins, time_ms=time_ms, token=token)
    for text, score_bin in zip(ids, bins, strict=True):
        found = parse_id(text)
        assert found == PredictionId(VERSION, None if score_bin < 0 else score_bin, time_ms, found.random)


def test_rows_of_one_request_have_different_ids() -> None:
    """A label must find its row, also when rows share bin and moment."""
    ids = make_ids(version=VERSION, score_bins=[3] * 10_000, time_ms=1_767_225_600_000, token="0123456789")  # noqa: S106
    assert len(set(ids)) == 10_000
    assert all(parse_id(text).score_bin == 3 for text in ids)


@pytest.mark.parametrize(
    "text",
    {
        "": "",
        "no parts": "0123456789ab",
        "short version": "0123.3.1767225600000.01234567890",
        "negative bin": "0123456789ab.-1.1767225600000.01234567890",
        "bin of letters": "0123456789ab.x.1767225600000.01234567890",
        "time in seconds": "0123456789ab.3.1767225600.01234567890",
        "no random": "0123456789ab.3.1767225600000.",
        "newline at the end": "0123456789ab.3.1767225600000.01234567890\n",
        "upper case": "0123456789AB.3.1767225600000.01234567890",
        "other digits": "0123456789ab.٣.1767225600000.01234567890",
        "very long": "0" * 1_000_000,
    }.values(),
)
def test_what_is_no_id_is_refused(text: str) -> None:
    """Anything but an id of ours is refused, so that a wrong column is noticed and never booked somewhere."""
    with pytest.raises(ValueError, match="must be an id as it stands in the answer"):
        parse_id(text)
