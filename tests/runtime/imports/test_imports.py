"""What a process imports, and how it starts numpy."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from perennate.processor import CPUINFO, numpy_settings

pytestmark = pytest.mark.runtime


def test_the_engine_is_imported_without_scipy_optimize() -> None:
    """It takes 24 MiB, which serving pods and the operator do not need."""
    code = "import sys, perennate.drift; print('scipy.optimize' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_importing_the_store_does_not_import_model_libraries() -> None:
    """A pod that only copies a version should start without importing scikit-learn."""
    code = "import sys, perennate.artifacts; print(sorted({'sklearn', 'skops', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_numpy_accepts_the_settings() -> None:
    """On this machine, the features are switched off and numpy emits no warning."""
    settings = numpy_settings(CPUINFO.read_text())
    code = "import json, numpy; print(json.dumps(numpy._core._multiarray_umath.__cpu_features__))"
    environment = {**os.environ, **settings}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    features = json.loads(run.stdout)
    off = settings.get("NPY_DISABLE_CPU_FEATURES", "").split()
    assert [name for name in off if features.get(name)] == []
