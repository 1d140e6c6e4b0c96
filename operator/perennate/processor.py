"""Processors on which numpy picks the wrong instructions, and how it is told so before it is imported."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")
_ZEN_3_AND_4: Final = "25"
_WITHOUT_AVX512: Final = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL"}


def settle_numpy(environment: MutableMapping[str, str], cpuinfo: Path = CPUINFO) -> None:
    """Set what numpy reads when it is imported, unless it is set already.

    Args:
        environment: of a process that has not imported numpy.
        cpuinfo: what the processor says of itself; only Linux has it.
    """
    try:
        text = cpuinfo.read_text()
    except OSError:
        return
    for name, value in numpy_settings(text).items():
        environment.setdefault(name, value)


def numpy_settings(cpuinfo: str) -> dict[str, str]:
    """What numpy should be told on a processor; nothing if it chooses well by itself.

    With AVX-512 numpy sorts by instructions that compress into memory, which Zen 4 carries out in microcode: a million
    numbers take 52 ms, and 9 ms with AVX2 (numpy/x86-simd-sort#6). Zen 3 has no AVX-512, Zen 5 is of another family.

    Args:
        cpuinfo: content of CPUINFO.
    """
    pairs = (line.partition(":") for line in cpuinfo.split("\n\n", 1)[0].splitlines())
    known = {name.strip(): value.strip() for name, _, value in pairs}
    is_zen = known.get("vendor_id") == "AuthenticAMD" and known.get("cpu family") == _ZEN_3_AND_4
    return dict(_WITHOUT_AVX512) if is_zen and "avx512f" in known.get("flags", "").split() else {}
