"""The fetch container of a serving pod where there is no node: its very program, run on a store of the test's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennate.api.wellknown import ENV_SERVING, LABEL_MODEL_DEPLOYMENT
from tests.support.cluster.pod_actor import play_well, restarting
from tests.support.pods.serving import run_fetch

if TYPE_CHECKING:
    from pathlib import Path

    from perennate.kube.runtime.resources import Manifest


@dataclass(frozen=True)
class Fetches:
    """A script for a PodActor: runs publish, and a server becomes ready if its fetch container finds its version.

    Attributes:
        store: root of the store.
        folder: gets a folder for each pod.
    """

    store: Path
    folder: Path

    def __call__(self, pod: Manifest) -> dict[str, Any] | None:
        """The status of a pod."""
        if LABEL_MODEL_DEPLOYMENT not in pod["metadata"].get("labels", {}):
            return play_well(pod)
        (container,) = pod["spec"]["initContainers"]
        own = self.folder / pod["metadata"]["uid"]
        own.mkdir(parents=True)
        fetched = run_fetch(
            {
                "PATH": os.environ["PATH"],
                ENV_SERVING: next(entry["value"] for entry in container["env"] if entry["name"] == ENV_SERVING),
                "PERENNATE_STORE_DIR": str(self.store),
                "PERENNATE_MODEL_DIR": str(own / "models"),
                "PERENNATE_TERMINATION_LOG": str(own / "termination-log"),
            }
        )
        if fetched.returncode == 0:
            return play_well(pod)
        return restarting("fetch", fetched.returncode, (own / "termination-log").read_text())


def flip_a_bit(path: Path) -> None:
    """Damage a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
