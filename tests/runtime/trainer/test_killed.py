"""Publishing is atomic: after a kill at any step, or with two publishers, the store has one whole version or none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer

from perennate.api.documents.model_manifest import MANIFEST_FILE
from perennate.api.wellknown import ENV_RUN_REQUEST, ExitCode
from perennate.artifacts import ArtifactNotFoundError, ModelStore, load_version
from tests.support.pods.artifacts import make_files, make_manifest
from tests.support.pods.runs import NAMESPACE, Run
from tests.support.tree import ROOT

pytestmark = pytest.mark.runtime

KILLED_AT = """
import os, runpy, signal, sys
events, step = {"open": "write", "os.link": "link", "os.remove": "tidy"}, int(os.environ["KILL_AT"])
seen = 0

def watch(event, arguments):
    # Every write, link and removal of a hidden file is a step. The process is killed just before the selected one.
    global seen
    if event in events and ".partial-" in str(arguments[0]):
        seen += 1
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
"""

PUBLISH = (
    KILLED_AT
    + """
from pathlib import Path
from perennate.artifacts import ModelStore
from tests.support.pods.artifacts import make_files, make_manifest
files = make_files(model=b"m" * 5_000_000)
print(ModelStore(Path(sys.argv[1]), "team-a").publish(make_manifest(files), files))
"""
)

STAGE = (
    KILLED_AT
    + """
sys.argv = ["perennate.trainer", "publish"]
runpy.run_module("perennate.trainer", run_name="__main__")
"""
)

FILES = make_files(model=b"m" * 5_000_000)
DIGEST = make_manifest(FILES).digest
STEPS = 3 * (len(FILES) + 1)
"""Write, link and tidy for each file and the manifest."""


def publisher(store: Path, step: int) -> subprocess.Popen[str]:
    """A process that publishes and is killed before a step. Step 0 never comes."""
    environment = {**os.environ, "KILL_AT": str(step), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PUBLISH, str(store)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_complete(store: Path) -> None:
    """Check that there is one version, that every byte is right, and that its folder has no other file."""
    models = ModelStore(store, NAMESPACE)
    assert models.read("fraud", DIGEST).files == FILES
    folder = models.version_dir("fraud", DIGEST)
    assert {path.name for path in folder.iterdir()} == {*FILES, MANIFEST_FILE}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_the_next_publisher_completes_a_killed_one(tmp_path: Path, step: int) -> None:
    """The first is killed before each write, link and removal. Readers see the complete version or none."""
    killed = publisher(tmp_path, step)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    models = ModelStore(tmp_path, NAMESPACE)
    try:
        assert models.read("fraud", DIGEST).files == FILES
        assert step == STEPS, "the manifest exists before the last step"
    except ArtifactNotFoundError:
        assert step < STEPS, "the manifest is missing although it was linked"
    assert models.publish(make_manifest(FILES), FILES) == DIGEST
    assert_complete(tmp_path)


def test_two_concurrent_publishers_write_one_version(tmp_path: Path) -> None:
    """Kubernetes may run a pod twice. Both succeed with the same version."""
    both = [publisher(tmp_path, 0) for _ in range(4)]
    answers = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0] * 4, answers
    assert {stdout.strip() for stdout, _ in answers} == {DIGEST}
    assert_complete(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run before its publish stage."""
    folder = tmp_path_factory.mktemp("trained")
    run = Run(folder / "run", folder / "data", folder / "store")
    load_breast_cancer(as_frame=True).frame.to_csv(run.data / "breast_cancer.csv", index=False)
    for stage in ("prepare", "train"):
        assert run.here(stage)[0] == ExitCode.DONE
    return run


def test_the_next_pod_completes_a_killed_publish_stage(trained: Run, tmp_path: Path) -> None:
    """The stage is killed before it writes the manifest. Then two pods publish: there is one version, and it loads."""
    run = Run(trained.folder, trained.data, tmp_path / "store")
    request = json.dumps(run.request.to_document())
    environment = run.environment(KILL_AT=str(STEPS - 1), **{ENV_RUN_REQUEST: request})
    killed = subprocess.run([sys.executable, "-c", STAGE], env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    folder = run.store / NAMESPACE / "tumours" / "versions"
    (version,) = folder.iterdir()
    assert not (version / MANIFEST_FILE).exists()
    both = [run.start("publish", PERENNATE_TERMINATION_LOG=str(tmp_path / f"termination{number}")) for number in (1, 2)]
    for process in both:
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == ExitCode.DONE, stderr
    results = [(tmp_path / f"termination{number}").read_bytes() for number in (1, 2)]
    assert results[0] == results[1]
    assert [path.name for path in folder.iterdir()] == [version.name]
    assert load_version(version, f"sha256:{version.name}").manifest.model == "tumours"
