"""The CPU features that are switched off in numpy, by processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from perennate.processor import numpy_settings, settle_numpy

ZEN_4 = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: fpu avx2 avx512f avx512bw\n\n"
DISABLED = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL"}
PROCESSORS = {
    "Zen 4": (ZEN_4, DISABLED),
    "Zen 4 with two cores": (ZEN_4 + ZEN_4.replace(": 0", ": 1"), DISABLED),
    "Zen 3": (ZEN_4.replace("avx512f avx512bw", ""), {}),
    "Zen 5": (ZEN_4.replace(": 25", ": 26"), {}),
    "Intel": (ZEN_4.replace("AuthenticAMD", "GenuineIntel").replace(": 25", ": 6"), {}),
    "ARM": ("processor\t: 0\nFeatures\t: fp asimd\n\n", {}),
    "an empty file": ("", {}),
    "a file in another format": ("\x00\xff: :", {}),
}


@pytest.mark.parametrize("case", PROCESSORS)
def test_only_zen_4_has_features_switched_off(case: str) -> None:
    """On every other processor, numpy keeps all features."""
    text, want = PROCESSORS[case]
    assert numpy_settings(text) == want


def test_a_user_setting_is_kept(tmp_path: Path) -> None:
    """A variable that the user has set is not changed; without the cpuinfo file nothing is set."""
    file = tmp_path / "cpuinfo"
    environment = {"NPY_DISABLE_CPU_FEATURES": ""}
    settle_numpy(environment, file)
    file.write_text(ZEN_4)
    settle_numpy(environment, file)
    assert environment == {"NPY_DISABLE_CPU_FEATURES": ""}
    environment = {}
    settle_numpy(environment, file)
    assert environment == DISABLED
