"""Suggestions of names: which ones, in which order, and how much work they take."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import SequenceMatcher
from types import FrameType

import pytest

from perennate.suggestions import MAX_COMPARED, MAX_LENGTH, Names, did_you_mean

SENSORS = [f"sensor_{number:04}" for number in range(5000)]

# name -> candidates, the suggested ones in their order
CASES: dict[str, tuple[str, Sequence[str], tuple[str, ...]]] = {
    "another letter case": ("AGE", ["visits", "age"], ("age",)),
    "other separators": ("unit price", ["price", "unit_price"], ("unit_price",)),
    "a byte order mark": ("\N{ZERO WIDTH NO-BREAK SPACE}age", ["age"], ("age",)),
    "an accent": ("ete", ["hiver", "\u00e9t\u00e9"], ("\u00e9t\u00e9",)),
    "full-width letters": ("\uff41\uff47\uff45", ["age"], ("age",)),
    "swapped letters": ("amonut", ["account", "amount"], ("amount", "account")),
    "equal ones before similar ones": ("ages ", ["ages", "aged"], ("ages",)),
    "the closest of equal ones": ("+1", ["-1", "1"], ("1", "-1")),
    "names of punctuation alone": ("%%", ["$", "%"], ("%",)),
    "Greek letters": ("ΑΓΕ", ["αγε"], ("αγε",)),
    "a prefix": ("weather.temp", ["temp", "rain"], ()),
    "a prefix that is short": ("w.temperature", ["temperature"], ("temperature",)),
    "nothing similar": ("colour", ["age", "visits"], ()),
    "no candidates": ("age", [], ()),
    "an empty name": ("", ["age"], ()),
    "among thousands of the same length": ("sensr_4321", SENSORS, ("sensor_4321", "sensor_4312")),
    "a wrong first letter among thousands": ("zensor_4321", SENSORS, ("sensor_4321", "sensor_4312")),
}


@pytest.mark.parametrize("case", CASES)
def test_similar_names(case: str) -> None:
    name, candidates, wanted = CASES[case]
    names = Names(candidates)
    assert names.similar(name)[:1] == wanted[:1]
    assert names.nearest(name) == (wanted[0] if wanted else None)
    if candidates is not SENSORS:
        assert names.similar(name) == wanted


def test_a_higher_ratio_excludes_names_with_a_common_ending() -> None:
    names = Names(["KNeighborsClassifier", "LogisticRegression"])
    assert names.similar("XGBoostClassifier", least=0.8) == ()
    assert names.similar("LogisticRegresion", least=0.8) == ("LogisticRegression",)


def test_long_names_are_neither_suggested_nor_compared() -> None:
    long = "a" * (MAX_LENGTH + 1)
    assert Names([long]).nearest(long.upper()) is None
    assert Names([long[:-1]]).nearest(long) is None


def test_only_the_first_candidates_count() -> None:
    assert Names(["age", "visits"], most=1).nearest("visit") is None
    assert Names(["age", "visits"], most=2).nearest("visit") == "visits"


@pytest.mark.parametrize(
    ("name", "candidates"), [("sensr_0001", SENSORS), ("A--", ["a" + " " * blanks for blanks in range(90)])]
)
def test_few_candidates_are_compared(name: str, candidates: Sequence[str]) -> None:
    """Comparisons are slow, and a client chooses the names."""
    names, started = Names(candidates), 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal started
        started += event == "call" and frame.f_code is SequenceMatcher.set_seq1.__code__

    sys.setprofile(count)
    try:
        found = names.nearest(name)
    finally:
        sys.setprofile(None)
    assert found is not None
    # The constructor of a matcher starts one comparison, with an empty text.
    assert 0 < started <= MAX_COMPARED + 1


def test_the_question() -> None:
    assert did_you_mean(["age", "wage"]) == "did you mean 'age' or 'wage'?"
    assert did_you_mean(["age"], str) == "did you mean age?"
    assert did_you_mean([]) == ""
