"""Ids of predictions."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.serving.capture.identifiers import are_genuine, make_ids, parse_id
from perennate.serving.capture.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennate.drift.profile.profile import LabelKind

VERSION, TIME, TOKEN = "0123456789ab", 1_767_225_600_000, "0123456789"
KEY = bytes(range(32))
SIGNER = Signer(KEY)


ANSWERS: dict[LabelKind, st.SearchStrategy[float]] = {
    "scores": st.integers(0, 50),
    "classes": st.integers(0, 29),
    "residuals": st.floats(allow_nan=False, allow_infinity=False),
}


def ids_of(kind: LabelKind | None, answers: Sequence[float | None], *, time_ms: int = TIME) -> list[str]:
    """The ids of a request."""
    return make_ids(version=VERSION, kind=kind, answers=answers, time_ms=time_ms, token=TOKEN, signer=SIGNER)


@given(data=st.data(), kind=st.sampled_from(sorted(ANSWERS)), time_ms=st.integers(10**12, 10**13 - 1))
def test_id_round_trip_is_exact(data: st.DataObject, kind: LabelKind, time_ms: int) -> None:
    """Version, answer and time can be read from the id alone, so feedback needs no storage."""
    answers = data.draw(st.lists(st.none() | ANSWERS[kind], min_size=1, max_size=40))
    found = [parse_id(text) for text in ids_of(kind, answers, time_ms=time_ms)]
    for item, answer in zip(found, answers, strict=True):
        assert (item.version, item.time_ms, item.answer) == (VERSION, time_ms, answer)
        assert item.kind == (None if answer is None else kind)
    assert are_genuine(found, SIGNER) == [True] * len(answers)
    assert are_genuine(found, Signer(bytes(32))) == [False] * len(answers)


def test_id_without_label_kind_has_no_answer() -> None:
    (text,) = ids_of(None, [3])
    assert (parse_id(text).kind, parse_id(text).answer) == (None, None)


@pytest.mark.parametrize("kind", sorted(ANSWERS))
@pytest.mark.parametrize("rows", [1, 1024, 1025, 10_000])
def test_rows_of_one_request_have_different_ids(rows: int, kind: LabelKind) -> None:
    """This also holds for rows with equal answer and time."""
    ids = ids_of(kind, [3] * rows)
    found = [parse_id(text) for text in ids]
    assert len(set(ids)) == rows
    assert all(item.answer == 3 for item in found)
    assert all(are_genuine(found, SIGNER))


def test_the_signature_of_rows_with_one_answer_is_an_hmac() -> None:
    """Pods of every release must agree on it, so it is written out here."""
    first, second, other = ids_of("scores", [3, 3, 4])
    text = f"{VERSION}.3.{TIME}.{TOKEN}2"
    assert first == f"{text}.{hmac.digest(KEY, text.encode(), 'sha256').hex()[:16]}.0"
    assert second == f"{first[:-1]}1"
    assert other.startswith(f"{VERSION}.4.{TIME}.{TOKEN}1.")


def mixed(value: int) -> int:
    """The permutation that pandas applies to every hash (the finalizer of SplitMix64)."""
    value ^= value >> 30
    value = value * 0xBF58476D1CE4E5B9 % 2**64
    value ^= value >> 27
    value = value * 0x94D049BB133111EB % 2**64
    return value ^ value >> 31


def test_the_signature_of_a_row_is_siphash() -> None:
    """Vectors of the reference implementation: SipHash-2-4 of 00 01 ... with the key 00 01 ... 0f."""
    signer = Signer(KEY)
    signer._row_key = bytes(range(16)).decode("latin-1")
    vectors = {0: 0x726FDB47DD0E0E31, 1: 0x74F839C593DC67FD, 8: 0x93F5F5799A932462, 15: 0xA129CA6149BE45E5}
    texts = [bytes(range(length)).decode("latin-1") for length in vectors]
    assert signer.sign_rows(texts) == [f"{mixed(value):016x}" for value in vectors.values()]


def test_two_kinds_of_signatures_have_different_keys() -> None:
    """A signature of one kind must not help to forge one of the other."""
    assert SIGNER._row_key.encode("latin-1") != KEY[:16]


def test_ids_are_short() -> None:
    """The response of 1,000 rows has 1,000 of them."""
    assert max(map(len, ids_of("scores", [3] * 1000))) <= 64
    assert max(map(len, ids_of("residuals", [0.1] * 1000))) <= 75


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
        "short signature": "0123456789ab.3.1767225600000.01234567890.0123456789abcde",
        "row with a leading zero": "0123456789ab.3.1767225600000.01234567890.0123456789abcdef.00",
        "row without a number": "0123456789ab.3.1767225600000.01234567890.0123456789abcdef.",
        "newline behind the row": "0123456789ab.3.1767225600000.01234567890.0123456789abcdef.0\n",
        "very long": "0" * 1_000_000,
    }.values(),
)
def test_malformed_ids_are_refused(text: str) -> None:
    """A wrong column of ids is detected, and its labels are not counted."""
    with pytest.raises(ValueError, match="must be a prediction id"):
        parse_id(text)
