"""Settings for processors on which numpy selects slow instructions; they are read when numpy is imported."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")
_ZEN_3_AND_4: Final = "25"
_WITHOUT_AVX512: Final = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL"}


def settle_numpy(environment: MutableMapping[str, str], cpuinfo: Path = CPUINFO) -> None:
    """Set `numpy_settings` in the environment, except variables that are already set.

    Args:
        environment: of a process that has not imported numpy yet.
        cpuinfo: the file that describes the processor; it exists on Linux only.
    """
    try:
        text = cpuinfo.read_text()
    except OSError:
        return
    for name, value in numpy_settings(text).items():
        environment.setdefault(name, value)


def numpy_settings(cpuinfo: str) -> dict[str, str]:
    """Environment variables for numpy on this processor; empty if its defaults are right.

    With AVX-512 numpy sorts by instructions that compress into memory, which Zen 4 executes in microcode: sorting a
    million numbers takes 52 ms, and 9 ms with AVX2 (numpy/x86-simd-sort#6). Building a profile sorts every column:
    `perennate drift` takes 0.2 s of CPU for a million rows of 20 columns, and would take 0.9 s more. Zen 3 has no
    AVX-512, and Zen 5 is of another family.

    Args:
        cpuinfo: content of CPUINFO.
    """
    pairs = (line.partition(":") for line in cpuinfo.split("\n\n", 1)[0].splitlines())
    known = {name.strip(): value.strip() for name, _, value in pairs}
    is_zen = known.get("vendor_id") == "AuthenticAMD" and known.get("cpu family") == _ZEN_3_AND_4
    return dict(_WITHOUT_AVX512) if is_zen and "avx512f" in known.get("flags", "").split() else {}
