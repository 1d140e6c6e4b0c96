"""Fuzzes one reader of what others wrote: `python -m tests.statistics.fuzzing TARGET -runs=...`, options of libFuzzer.

What is read must be accepted or refused by the error that its reader documents, in at most a second and in little more
than ten times its memory.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

FOLDER = Path(sys.prefix) / "fuzz"
"""Where `make install` puts atheris: beside the environment, off its path."""
sys.path.append(str(FOLDER))
import atheris  # noqa: E402

# Tracing a call keeps its arguments alive, so the memory of the decoder would be overstated.
with atheris.instrument_imports(include=["perennate.drift", "perennate.cli"], exclude=["perennate.drift.data.parsing"]):
    from tests.statistics.fuzzing import documents, files

MEASURED, LARGE = 20, 2**16
"""The memory of one input in so many is measured, and of each that is larger than that."""


def main(arguments: list[str]) -> None:
    """Fuzz one target."""
    target = {**documents.TARGETS, **files.TARGETS}[arguments.pop(1)]
    runs = count()

    def once(data: bytes) -> None:
        """One input."""
        content = target.make(atheris.FuzzedDataProvider(data))
        target.run(content, measured=next(runs) % MEASURED == 0 or len(content) > LARGE)

    # What is made once is no memory of the first input.
    target.read(b"")
    atheris.Setup(arguments, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
