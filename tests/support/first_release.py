"""Documents that release 0.1.0 wrote (commit af488fd). `tests/fixtures/README.md` says how they were made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "fixtures" / "af488fd"


def content(name: str) -> bytes:
    """Bytes of a file."""
    return (FOLDER / name).read_bytes()


def document(name: str) -> Any:
    """A JSON file, read with nothing of perennate."""
    return json.loads(content(name))
