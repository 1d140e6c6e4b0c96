"""The scores in a response, for any side and format: a comparison of times is fair only if the answers are equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import orjson

HEADER: Final = "inference-header-content-length"
CLASSES: Final = 2


def read_scores(body: bytes, headers: Mapping[str, str]) -> list[float]:
    """The probability of the second class for each row.

    Args:
        body: of the response.
        headers: of the response, in lower case.
    """
    length = int(headers.get(HEADER, len(body)))
    document = orjson.loads(body[:length])
    if isinstance(document, list):
        return document
    if "outputs" in document:
        return _of_tensors(document["outputs"], body[length:])
    return [row[1] for row in document["probabilities"]]


def _of_tensors(outputs: list[dict[str, Any]], data: bytes) -> list[float]:
    """The second column of the tensor that has one column for each class."""
    for output in outputs:
        size = output.get("parameters", {}).get("binary_data_size", 0)
        if output["shape"][1:] == [CLASSES]:
            values = np.frombuffer(data[:size]).tolist() if size else output["data"]
            return list(values[1::CLASSES])
        data = data[size:]
    raise ValueError(f"no output has {CLASSES} columns: {[output['name'] for output in outputs]}")
