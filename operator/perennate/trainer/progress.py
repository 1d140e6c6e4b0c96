"""Progress of a stage in its log: one line per step on standard output."""

from __future__ import annotations

from perennate.text import printable


def report(stage: str, **fields: object) -> None:
    """Print `stage=<stage> key=value ...` and flush."""
    print(" ".join((f"stage={stage}", *(f"{key}={_text(value)}" for key, value in fields.items()))), flush=True)


def _text(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else printable(str(value))
    return f'"{text}"' if " " in text else text
