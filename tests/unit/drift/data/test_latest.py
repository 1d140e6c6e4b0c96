"""What is remembered of the last evaluation is never given for another question."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perennate.drift.data.latest import Latest

QUESTIONS = st.lists(st.lists(st.integers(0, 1), min_size=2, max_size=2), max_size=12)


@given(questions=QUESTIONS)
def test_every_array_gets_its_own_value(questions: list[list[int]]) -> None:
    """Whatever was asked before, the value is that of this array; the same twice in a row is worked out once."""
    asked: list[list[int]] = []

    def total(array: np.ndarray) -> int:
        asked.append(array.tolist())
        return int(array @ np.array([1, 10]))

    latest = Latest(total)

    assert [latest(np.array(question)) for question in questions] == [one + 10 * ten for one, ten in questions]
    changes = [question for before, question in zip([None, *questions], questions, strict=False) if question != before]
    assert asked == changes
