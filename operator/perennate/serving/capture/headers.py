"""Version and prediction ids as response headers, the same for both protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennate.serving.model.model import ServedModel

HEADER_IDS: Final = 16
"""Up to this number of rows, `X-Prediction-Id` lists all ids; above it, only the first."""


def answer_headers(model: ServedModel, ids: Sequence[str]) -> dict[str, str]:
    """Version and ids as headers, for clients that do not parse the body."""
    shown = ids if len(ids) <= HEADER_IDS else ids[:1]
    return {"x-model-version": model.digest, "x-prediction-id": ",".join(shown)}
