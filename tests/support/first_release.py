"""Documents that release 0.1.0 wrote. `tests/fixtures/README.md` describes their origin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "fixtures" / "af488fd"


def content(name: str) -> bytes:
    """The bytes of a file."""
    return (FOLDER / name).read_bytes()


def document(name: str) -> Any:
    """The content of a JSON file, parsed without perennate."""
    return json.loads(content(name))
