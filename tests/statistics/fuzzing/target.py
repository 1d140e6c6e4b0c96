"""A fuzzing target and its limits."""

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
    """A reader of untrusted bytes.

    Args:
        make: turns fuzzer data into an input.
        read: reads an input; returns None if it raises the documented error.
        use: uses the result of `read` like the product.
        slack: bytes of memory that reading may take beyond `factor` times the input.
        memory: measures the memory that reading takes, in bytes.
        factor: maximum bytes of memory for each byte of input.
    """

    make: Callable[[Any], bytes]
    read: Callable[[bytes], Any]
    use: Callable[[Any], None]
    slack: int
    memory: Callable[[Callable[[bytes], Any], bytes], int]
    factor: int = 10

    def run(self, content: bytes, *, measured: bool) -> None:
        """Read an input and use the result, within the limits."""
        # Tracing memory makes reading about four times slower.
        memory = self.memory(self.read, content) if measured else 0
        # On a busy machine, a single run may be slow; retry up to twice.
        spent = self._time(content)
        for _ in range(2):
            spent = spent if spent <= SECONDS else self._time(content)
        assert spent <= SECONDS, f"{spent:.1f} s for {len(content)} bytes"
        most = self.factor * len(content) + self.slack
        assert memory <= most, f"{memory} bytes of memory for {len(content)}, at most {most} are allowed"

    def _time(self, content: bytes) -> float:
        """CPU seconds for reading an input and using the result."""
        begin = time.process_time()
        found = self.read(content)
        if found is not None:
            self.use(found)
        return time.process_time() - begin


def traced(read: Callable[[bytes], Any], content: bytes) -> int:
    """The peak of Python memory during reading, in bytes."""
    gc.collect()
    tracemalloc.start()
    try:
        found = read(content)
        del found
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def touched(read: Callable[[bytes], Any], content: bytes) -> int:
    """The increase of the peak resident memory during reading, in bytes.

    Arrow reserves the memory that a file claims, but only touches memory for existing data. The C library returns large
    blocks at once if MALLOC_MMAP_THRESHOLD_ is set; otherwise, reused blocks would not be measured.
    """
    gc.collect()
    pa.set_memory_pool(pa.system_memory_pool())
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    found = read(content)
    del found
    return _status("VmHWM") - before


def _status(name: str) -> int:
    """A figure from the status of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def file_of(content: bytes, name: str) -> Path:
    """Write a file with this content, replacing the previous one."""
    path = _folder() / name
    path.write_bytes(content)
    return path
