"""Data that the node image takes from the Go module of kind: files, storage manifest, and names of images."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.programs import compiled, toolchain

_MODULE = "sigs.k8s.io/kind"
_PINNED_BY = compiled.SOURCES / "kind"
_STORAGE = Path("pkg/build/nodeimage/const_storage.go")
_FILES = Path("images/base/files")


@dataclass(frozen=True, slots=True)
class KindModule:
    """The sources of kind in the module cache of Go.

    Attributes:
        version: its version.
        folder: its sources, read-only.
    """

    version: str
    folder: Path

    @property
    def files(self) -> Path:
        """Files of the node, as a tree below `/`."""
        return self.folder / _FILES

    def storage(self) -> Storage:
        """Return the default storage of a kind cluster."""
        return parse_storage((self.folder / _STORAGE).read_text())

    def pause_image(self) -> str:
        """Return the name of the pause image that the node's containerd uses."""
        return parse_pause_image((self.files / "etc/containerd/config.toml").read_text())


@dataclass(frozen=True, slots=True)
class Storage:
    """The volume provisioner.

    Attributes:
        provisioner: name of its image.
        helper: name of the image that creates and removes folders for it.
        manifest: manifest of its objects and of the default storage class.
    """

    provisioner: str
    helper: str
    manifest: str


def fetch() -> KindModule:
    """Return the module of kind in the version that the project compiles."""
    command = [toolchain.go(), "mod", "download", "-json", _MODULE]
    found = json.loads(run(command, what="fetch kind's module", cwd=_PINNED_BY, env=toolchain.ENVIRONMENT))
    return KindModule(version=found["Version"], folder=Path(found["Dir"]))


def parse_storage(source: str) -> Storage:
    """Parse the storage constants of kind's Go source.

    Raises:
        ClusterError: the source has an unknown form.
    """
    constants = dict(re.findall(r'^const (\w+) = "([^"\n]*)"$', source, re.MULTILINE))
    found = re.search(r"^const defaultStorageManifest = `(.*)`\s*$", source, re.MULTILINE | re.DOTALL)
    names = ("storageProvisionerImage", "storageHelperImage")
    if found is None or any(name not in constants for name in names):
        raise ClusterError(f"{_STORAGE} of {_MODULE} has no storage manifest of the known form: adapt {__name__}.")
    # A raw Go string continues after each "` + name + `".
    manifest = re.sub(r"` \+ (\w+) \+ `", lambda word: constants[word[1]], found[1])
    return Storage(provisioner=constants[names[0]], helper=constants[names[1]], manifest=manifest)


def parse_pause_image(configuration: str) -> str:
    """Parse the sandbox image in the configuration of containerd.

    Raises:
        ClusterError: there is none.
    """
    found = re.search(r'^\s*sandbox_image = "([^"]+)"', configuration, re.MULTILINE)
    if found is None:
        raise ClusterError(f"containerd's configuration in {_MODULE} names no sandbox image: adapt {__name__}.")
    return found[1]
