"""What is fuzzed, and within which bounds."""

from __future__ import annotations

import gc
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

SECONDS = 1.0


@dataclass(frozen=True)
class Target:
    """A reader of what others wrote.

    Args:
        make: bytes to read, of what the fuzzer draws.
        read: reads them; None if it refuses them by the error that it documents.
        use: does with what was read what it is read for.
        slack: bytes of memory that reading may take beyond `factor` times the input.
        memory: measures what reading some bytes took.
        factor: most bytes of memory for each byte of input.
    """

    make: Callable[[Any], bytes]
    read: Callable[[bytes], Any]
    use: Callable[[Any], None]
    slack: int
    memory: Callable[[Callable[[bytes], Any], bytes], int]
    factor: int = 10

    def run(self, content: bytes, *, measured: bool) -> None:
        """Read some bytes and use what was read, within the bounds."""
        # Tracing memory takes four times as long as what is traced.
        memory = self.memory(self.read, content) if measured else 0
        # A machine whose neighbours are busy is twice as slow for a while, but not each time.
        spent = self._time(content)
        for _ in range(2):
            spent = spent if spent <= SECONDS else self._time(content)
        assert spent <= SECONDS, f"{spent:.1f} s for {len(content)} bytes"
        most = self.factor * len(content) + self.slack
        assert memory <= most, f"{memory} bytes of memory for {len(content)}, at most {most} are allowed"

    def _time(self, content: bytes) -> float:
        """Seconds that reading some bytes and using what was read takes."""
        begin = time.process_time()
        found = self.read(content)
        if found is not None:
            self.use(found)
        return time.process_time() - begin


def traced(read: Callable[[bytes], Any], content: bytes) -> int:
    """The most memory of Python that reading took at any moment, in bytes."""
    gc.collect()
    tracemalloc.start()
    try:
        found = read(content)
        del found
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def touched(read: Callable[[bytes], Any], content: bytes) -> int:
    """The most memory that the process gained while it read, in bytes, whoever asked for it.

    Arrow reserves as much as a file says that it needs, and touches what is there. The C library gives every larger
    piece back at once if the environment says MALLOC_MMAP_THRESHOLD_; else its next use would not be seen.
    """
    gc.collect()
    pa.set_memory_pool(pa.system_memory_pool())
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    found = read(content)
    del found
    return _status("VmHWM") - before


def _status(name: str) -> int:
    """A figure of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def file_of(content: bytes, name: str) -> Path:
    """A file with this content; the next one takes its place."""
    path = _folder() / name
    path.write_bytes(content)
    return path
