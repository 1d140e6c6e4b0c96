"""Convert an archive of `docker save` to OCI, without the layers that the receiver has.

Docker always exports every layer. A change of our source alters only one small layer of an image, so the node already
has almost all of its bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

_OCI = "application/vnd.oci.image"
_GZIP_START = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer: its member in Docker's archive, and its descriptor in the OCI manifest."""

    member: tarfile.TarInfo
    descriptor: dict[str, Any]

    @property
    def digest(self) -> str:
        return str(self.descriptor["digest"])


def write_missing(saved: IO[bytes], target: IO[bytes], *, present: Collection[str]) -> int:
    """Write the images of `saved` to `target` as an OCI archive, without the layers that are `present`.

    Args:
        saved: output of `docker save`; seekable. Layers are plain tar files, or compressed ones if the engine uses the
            containerd image store.
        target: receives the archive.
        present: digests of the blobs that the receiver has.

    Returns:
        The number of layers written.
    """
    written: set[str] = set()
    index: list[dict[str, Any]] = []
    with (
        tarfile.open(fileobj=saved) as content,
        tarfile.open(fileobj=target, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        for image in json.loads(_read(content, "manifest.json")):
            configuration = _read(content, image["Config"])
            differences = json.loads(configuration)["rootfs"]["diff_ids"]
            layers = [_layer(content, *pair) for pair in zip(image["Layers"], differences, strict=True)]
            for layer in layers:
                if layer.digest not in {*present, *written}:
                    _add(archive, layer.digest, content.extractfile(layer.member), layer.member.size)
                    written.add(layer.digest)
            manifest = _manifest(_blob(archive, "config", configuration), layers)
            described = _blob(archive, "manifest", json.dumps(manifest).encode())
            names = [{"io.containerd.image.name": full_name(tag)} for tag in image["RepoTags"]]
            index += [{**described, "annotations": name} for name in names]
        _file(archive, "oci-layout", {"imageLayoutVersion": "1.0.0"})
        _file(archive, "index.json", {"schemaVersion": 2, "manifests": index})
    return len(written)


def full_name(tag: str) -> str:
    """Return the full name of an image; Docker omits its own registry."""
    registry = tag.partition("/")[0]
    return tag if "." in registry or registry == "localhost" else f"docker.io/{tag}"


def _read(content: tarfile.TarFile, name: str) -> bytes:
    member = content.extractfile(name)
    return member.read() if member else b""


def _layer(content: tarfile.TarFile, name: str, difference: str) -> _Layer:
    """Return the description of a layer. A plain tar file has its digest from the image configuration."""
    member = content.getmember(name)
    if member.issym() or member.islnk():
        # Docker before 25 writes a shared layer once, and links to it.
        folder = name.rpartition("/")[0]
        member = content.getmember(_resolve_link(folder, member.linkname) if member.issym() else member.linkname)
    file = content.extractfile(member)
    packed = file is not None and file.read(len(_GZIP_START)) == _GZIP_START
    kind = f"{_OCI}.layer.v1.tar+gzip" if packed else f"{_OCI}.layer.v1.tar"
    digest = f"sha256:{member.name.rpartition('/')[2]}" if packed else difference
    return _Layer(member, {"mediaType": kind, "digest": digest, "size": member.size})


def _resolve_link(folder: str, link: str) -> str:
    parts = [*folder.split("/"), *link.split("/")]
    kept: list[str] = []
    for part in parts:
        if part == "..":
            kept.pop()
        elif part not in ("", "."):
            kept.append(part)
    return "/".join(kept)


def _manifest(config: dict[str, Any], layers: list[_Layer]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": config,
        "layers": [layer.descriptor for layer in layers],
    }


def _blob(archive: tarfile.TarFile, kind: str, content: bytes) -> dict[str, Any]:
    """Write a small blob and return its descriptor."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    _add(archive, digest, io.BytesIO(content), len(content))
    return {"mediaType": f"{_OCI}.{kind}.v1+json", "digest": digest, "size": len(content)}


def _file(archive: tarfile.TarFile, name: str, document: dict[str, Any]) -> None:
    content = json.dumps(document).encode()
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _add(archive: tarfile.TarFile, digest: str, content: IO[bytes] | None, size: int) -> None:
    entry = tarfile.TarInfo(f"blobs/{digest.replace(':', '/')}")
    entry.size = size
    archive.addfile(entry, content)
