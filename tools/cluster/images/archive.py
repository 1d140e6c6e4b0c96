"""Write image archives with a single program, so that starting a cluster needs no image builder."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Machine name of the kernel -> Go architecture.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def write(target: Path, *, image: str, program: Path) -> None:
    """Write an image that contains and runs one program to `target`, in the format of `docker save`.

    The archive is reproducible: it contains no time and no owner.

    Args:
        target: the archive's path.
        image: its name with tag.
        program: a statically linked program.
    """
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.USTAR_FORMAT) as files:
        _add(files, program.name.partition("-")[0], program.read_bytes(), mode=0o755)
    diff = hashlib.sha256(layer.getvalue()).hexdigest()
    configuration = json.dumps(
        {
            "architecture": ARCHITECTURES.get(os.uname().machine, os.uname().machine),
            "os": "linux",
            "config": {"Entrypoint": ["/" + program.name.partition("-")[0]]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
        },
        sort_keys=True,
    ).encode()
    digest = hashlib.sha256(configuration).hexdigest()
    manifest = [{"Config": f"{digest}.json", "RepoTags": [image], "Layers": [f"{diff}.tar"]}]
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        _add(archive, f"{diff}.tar", layer.getvalue())
        _add(archive, f"{digest}.json", configuration)
        _add(archive, "manifest.json", json.dumps(manifest).encode())
