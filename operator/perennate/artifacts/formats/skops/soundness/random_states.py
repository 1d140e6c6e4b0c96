"""Bounds checks for the positions in random generators, which numpy follows unchecked."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from perennate.artifacts.errors import ArtifactRefusedError
from perennate.artifacts.formats.skops.soundness.parts import parts

MERSENNE_TWISTER_WORDS: Final = 624
PHILOX_WORDS: Final = 4


def check_random_states(estimator: object) -> None:
    """Refuse a model with a random generator that points outside of its own state.

    Raises:
        ArtifactRefusedError: it has one.
    """
    for _, part in parts(estimator):
        if isinstance(part, np.random.RandomState):
            _check(part.get_state(legacy=False))
        elif isinstance(part, np.random.Generator):
            _check(part.bit_generator.state)


def _check(state: Any) -> None:
    position, words = 0, MERSENNE_TWISTER_WORDS
    if state["bit_generator"] == "MT19937":
        position = state["state"]["pos"]
    elif state["bit_generator"] == "Philox":
        position, words = state["buffer_pos"], PHILOX_WORDS
    if not 0 <= position <= words:
        raise ArtifactRefusedError(
            "a random generator in the model file points outside of its state; the file is damaged or crafted"
        )
