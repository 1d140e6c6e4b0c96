"""The fetch container of a serving pod without a node: the real program, on a store of the test."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennate.api.wellknown import ENV_SERVING, LABEL_MODEL_DEPLOYMENT
from tests.support.cluster.pod_actor import play_success, restarting
from tests.support.pods.serving import run_fetch

if TYPE_CHECKING:
    from pathlib import Path

    from perennate.api.meta import Manifest


@dataclass(frozen=True)
class Fetches:
    """A script for a PodActor: runs publish, and serving pods are ready if their fetch container finds the version.

    Attributes:
        store: root of the store.
        folder: folder with a subfolder for each pod.
    """

    store: Path
    folder: Path

    def __call__(self, pod: Manifest) -> dict[str, Any] | None:
        """The status of a pod."""
        if LABEL_MODEL_DEPLOYMENT not in pod["metadata"].get("labels", {}):
            return play_success(pod)
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
            return play_success(pod)
        return restarting("fetch", fetched.returncode, (own / "termination-log").read_text())


def flip_a_bit(path: Path) -> None:
    """Flip one bit in the middle of the file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
