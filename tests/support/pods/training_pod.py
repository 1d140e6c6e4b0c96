"""A training pod as processes: each container sees the folders that its manifest mounts, with the access of the mounts.

A container has a folder as its file system. A volume that it can write to is a link to the folder of the volume. One
that it can only read is a link for our stages, and a copy for the user's container: what it writes there is lost, as a
read-only mount would refuse it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from perennate.api.documents.stage_result import StageResult
from perennate.api.meta import Manifest
from perennate.api.wellknown import DATA_DIR, RUN_DIR, STORE_DIR, TERMINATION_LOG
from perennate.builders import training
from perennate.trainer.paths import ENV_DATA_DIR, ENV_RUN_DIR, ENV_STORE_DIR, ENV_TERMINATION_LOG
from tests.support.pods.runs import Outcome, Run
from tests.support.tree import ROOT
from tests.support.world.objects import make_training_job

IMAGE = (ROOT / "images" / "trainer.Dockerfile").read_text()


@dataclass
class TrainingPod:
    """The pod of a run, built by the operator.

    Args:
        run: the spec, and the folders of data and store.
        folder: an empty folder for volumes and file systems.
    """

    run: Run
    folder: Path
    spec: Manifest = field(init=False)

    def __post_init__(self) -> None:
        """Build the manifest of the pod, and make its volumes."""
        resource = make_training_job(spec=self.run.spec)
        job = training.run_job(
            resource,
            attempt=0,
            request=self.run.request,
            data_claim="claim",
            image="trainer",
            pull_policy="Never",
        )
        self.spec = job["spec"]["template"]["spec"]
        for name in ("prepare", "train", "publish"):
            (self._root(name) / "perennate").mkdir(parents=True)
            self._mount(name)

    def stage(self, name: str) -> Outcome:
        """Run one of our stages as its image and its manifest say."""
        root, container = self._root(name), self._container(name)
        for entry in container["volumeMounts"]:
            self._link(root, entry)
        working_dir = container.get("workingDir") or _instruction("WORKDIR")
        done = subprocess.run(
            self._command(name),
            env=self._environment(name),
            cwd=f"{root}{working_dir}",
            capture_output=True,
            text=True,
            check=False,
        )
        message = Path(f"{root}{TERMINATION_LOG}")
        result = StageResult.model_validate_json(message.read_bytes())
        return Outcome(name, done.returncode, result, done.stdout, done.stderr, seconds=0.0)

    def _command(self, name: str) -> list[str]:
        _, *options = re.findall(r'"([^"]+)"', _instruction("ENTRYPOINT"))
        return [sys.executable, *options, *self._container(name)["args"]]

    def _environment(self, name: str) -> dict[str, str]:
        """The environment of the image and of the manifest, whose paths are those of the container's file system."""
        root = self._root(name)
        image = dict(re.findall(r"(PYTHON\w+)=(\S+)", IMAGE.partition("\nENV ")[2]))
        given = {entry["name"]: entry["value"] for entry in self._container(name)["env"]}
        return {
            **self.run.environment(),
            **image,
            "PYTHONPATH": str(ROOT / "operator"),
            **given,
            "HOME": f"{root}{given['HOME']}",
            "TMPDIR": f"{root}/tmp",
            ENV_RUN_DIR: f"{root}{RUN_DIR}",
            ENV_STORE_DIR: f"{root}{STORE_DIR}",
            ENV_DATA_DIR: f"{root}{DATA_DIR}",
            ENV_TERMINATION_LOG: f"{root}{TERMINATION_LOG}",
        }

    def _container(self, name: str) -> Manifest:
        found = [*self.spec["initContainers"], *self.spec["containers"]]
        return next(entry for entry in found if entry["name"] == name)

    def _root(self, name: str) -> Path:
        return self.folder / "containers" / name

    def _volume(self, name: str) -> Path:
        known = {"data": self.run.data, "store": self.run.store}
        return known.get(name, self.folder / "volumes" / name)

    def _mount(self, name: str) -> None:
        (self._root(name) / "dev").mkdir()
        for entry in self._container(name)["volumeMounts"]:
            self._volume(entry["name"]).mkdir(parents=True, exist_ok=True)

    def _link(self, root: Path, entry: Manifest) -> None:
        path = root / entry["mountPath"].lstrip("/")
        if not path.is_symlink():
            path.symlink_to(self._volume(entry["name"]))

    def enter(self, name: str = "train") -> Path:
        """The file system of a user's container when it starts."""
        root = self._root(name)
        for entry in self._container(name)["volumeMounts"]:
            if entry.get("readOnly"):
                shutil.copytree(self._volume(entry["name"]), root / entry["mountPath"].lstrip("/"))
            else:
                self._link(root, entry)
        return root


def _instruction(name: str) -> str:
    """The arguments of an instruction of the trainer image."""
    return re.findall(rf"^{name} (.+)$", IMAGE, re.MULTILINE)[-1]  # type: ignore[no-any-return]
