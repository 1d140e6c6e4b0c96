"""Signatures of prediction ids: only a pod of the model line can issue an id, and any of its pods can check one.

A signature has 64 bits. It can be tried only by sending a label to a pod: at 100,000 labels a second, a forged id is
accepted once in six million years. A longer one would make the response of 1,000 rows longer for nothing.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

DIGITS: Final = 16
"""Hexadecimal digits of a signature."""
_ROWS_PURPOSE: Final = b"perennate.dev/prediction-id/rows/v1"
_SIPHASH_KEY_BYTES: Final = 16
_BYTES: Final = "latin-1"
"""An encoding in which every byte is a character."""


class Signer:
    """Signs ids with the key of a model line.

    Args:
        key: secret bytes of the model line.
    """

    def __init__(self, key: bytes) -> None:
        self._state = hmac.new(key, digestmod="sha256")
        self._row_key = hmac.digest(key, _ROWS_PURPOSE, "sha256")[:_SIPHASH_KEY_BYTES].decode(_BYTES)

    def sign(self, text: str) -> str:
        """The first 64 bits of the HMAC-SHA256 of a text, in hexadecimal digits."""
        state = self._state.copy()
        state.update(text.encode())
        return state.hexdigest()[:DIGITS]

    def sign_rows(self, texts: Sequence[str]) -> list[str]:
        """One signature for each ASCII text, by SipHash-2-4 with a key derived from that of the model line.

        SipHash is a message authentication code for short texts. pandas has it for whole arrays, with a fixed
        permutation of the result. 1,000 rows take 0.1 ms; as HMACs they would take 0.9 ms, a seventh of their request.
        """
        hashes = pd.util.hash_array(
            np.array(texts, dtype=object), encoding=_BYTES, hash_key=self._row_key, categorize=False
        )
        digits = hashes.astype(">u8").tobytes().hex()
        return [digits[start : start + DIGITS] for start in range(0, len(digits), DIGITS)]
