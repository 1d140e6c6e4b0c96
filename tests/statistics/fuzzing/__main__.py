"""Fuzz one reader of untrusted bytes: `python -m tests.statistics.fuzzing TARGET -runs=...`, with options of libFuzzer.

Each input must be accepted or refused with the documented error, in at most a second and with little more memory
than ten times its size.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

FOLDER = Path(sys.prefix) / "fuzz"
"""The folder into which `make install` installs atheris, outside the import path."""
sys.path.append(str(FOLDER))
import atheris  # noqa: E402

# Tracing a call keeps its arguments alive, so the memory of the decoder would be overstated.
with atheris.instrument_imports(include=["perennate.drift", "perennate.cli"], exclude=["perennate.drift.data.parsing"]):
    from tests.statistics.fuzzing import documents, files

MEASURED, LARGE = 20, 2**16
"""The memory is measured for one in `MEASURED` inputs, and for every input larger than `LARGE` bytes."""


def main(arguments: list[str]) -> None:
    """Fuzz one target."""
    target = {**documents.TARGETS, **files.TARGETS}[arguments.pop(1)]
    runs = count()

    def once(data: bytes) -> None:
        """Run one input."""
        content = target.make(atheris.FuzzedDataProvider(data))
        target.run(content, measured=next(runs) % MEASURED == 0 or len(content) > LARGE)

    # Fill caches first, so that they are not measured with the first input.
    target.read(b"")
    atheris.Setup(arguments, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
