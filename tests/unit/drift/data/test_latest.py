"""The cache of the latest value never returns a value for a different key."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perennate.drift.data.latest import Latest

QUESTIONS = st.lists(st.lists(st.integers(0, 1), min_size=2, max_size=2), max_size=12)


@given(questions=QUESTIONS)
def test_latest_value_belongs_to_its_array(questions: list[list[int]]) -> None:
    """The value is computed once for equal arrays in a row, and is always that of the given array."""
    asked: list[list[int]] = []

    def total(array: np.ndarray) -> int:
        asked.append(array.tolist())
        return int(array @ np.array([1, 10]))

    latest = Latest(total)

    assert [latest(np.array(question)) for question in questions] == [one + 10 * ten for one, ten in questions]
    changes = [question for before, question in zip([None, *questions], questions, strict=False) if question != before]
    assert asked == changes
