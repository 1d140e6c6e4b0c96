"""The program of the how-to page on own containers: its model is published."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from sklearn.datasets import load_breast_cancer

from perennate.api.wellknown import ExitCode
from tests.support.docs.pages import ROOT, blocks
from tests.support.pods.runs import Run, make_spec
from tests.support.pods.training_pod import TrainingPod

pytestmark = pytest.mark.runtime

PAGE = ROOT / "docs" / "how-to" / "own-container.md"


def test_the_program_of_the_page_trains_a_model_that_is_published(tmp_path: Path) -> None:
    """With the trainer, the gates and the environment of the manifest on the page."""
    program, manifest = (
        next(block.text for block in blocks(PAGE) if block.language == name) for name in ("python", "yaml")
    )
    spec = yaml.safe_load(manifest)["spec"]
    run = Run(
        tmp_path / "run",
        tmp_path / "data",
        tmp_path / "store",
        make_spec(trainer=spec["trainer"], evaluation=spec["evaluation"], resources=spec["resources"]),
    )
    load_breast_cancer(as_frame=True).frame.to_csv(run.data / "breast_cancer.csv", index=False)
    pod = TrainingPod(run, tmp_path / "pod")
    assert pod.stage("prepare").code == ExitCode.DONE
    root = pod.enter()
    given = {entry["name"]: entry["value"] for entry in pod.spec["initContainers"][1]["env"]}
    subprocess.run(
        [sys.executable, "-c", program.replace("/perennate/", f"{root}/perennate/")],
        env={"PATH": os.environ["PATH"], **given},
        cwd=tmp_path,
        check=True,
    )
    published = pod.stage("publish")
    assert published.code == ExitCode.DONE, published.message
