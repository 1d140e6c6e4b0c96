"""Images in an OCI image layout: import, add a layer, and export without the layers that the receiver has."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

_MEDIA = "application/vnd.oci.image"
_VERSION = {"imageLayoutVersion": "1.0.0"}
_NAME = "org.opencontainers.image.ref.name"
#: The annotation with the name of an image for containerd.
_CONTAINERD_NAME = "io.containerd.image.name"


@dataclass(frozen=True, slots=True)
class LayoutImage:
    """One image of a layout.

    Attributes:
        layout: folder of the layout.
        descriptor: its entry in the index: media type, digest and size of the manifest.
    """

    layout: Path
    descriptor: dict[str, Any]

    @property
    def digest(self) -> str:
        """Digest of the manifest, which identifies the image."""
        return str(self.descriptor["digest"])

    def blobs(self) -> list[str]:
        """Return the digests of manifest, configuration and layers."""
        manifest = json.loads(blob_path(self.layout, self.digest).read_bytes())
        return [self.digest, manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


def blob_path(layout: Path, digest: str) -> Path:
    """Return the file of blob `digest` ("sha256:...") in `layout`."""
    algorithm, _, value = digest.partition(":")
    return layout / "blobs" / algorithm / value


def names(layout: Path) -> list[str]:
    """Return the names of the images in `layout`, oldest first; empty if there is no layout."""
    return [entry.get("annotations", {}).get(_NAME, "") for entry in _entries(layout)]


def find(layout: Path, name: str) -> LayoutImage | None:
    """Return the image `name` of `layout`, or None."""
    entry = next((entry for entry in _entries(layout) if entry.get("annotations", {}).get(_NAME) == name), None)
    return LayoutImage(layout, entry) if entry else None


def remove(layout: Path, unwanted: Collection[str]) -> None:
    """Remove the images named in `unwanted` from `layout`, with all blobs that no other image uses."""
    kept = [entry for entry in _entries(layout) if entry.get("annotations", {}).get(_NAME, "") not in unwanted]
    index = json.loads((layout / "index.json").read_text())
    (layout / "index.json").write_text(json.dumps({**index, "manifests": kept}))
    needed = {digest for entry in kept for digest in LayoutImage(layout, entry).blobs()}
    for path in (layout / "blobs").glob("*/*"):
        if f"{path.parent.name}:{path.name}" not in needed:
            path.unlink()


def import_archive(archive: IO[bytes], layout: Path, name: str) -> None:
    """Import the image of `archive`, in the format of `docker save` with uncompressed layers, into `layout` as `name`.

    Layers stay uncompressed, because compression would take longer than copying on the same machine.

    Args:
        archive: the archive; its layers must come before its `manifest.json`, or it must be seekable.
        layout: folder of the layout; created if it is missing.
        name: the image's name in the layout.
    """
    with tarfile.open(fileobj=archive) as content:
        manifest = json.loads(_member(content, "manifest.json"))[0]
        configuration = _member(content, manifest["Config"])
        layers = []
        for member, diff in zip(manifest["Layers"], json.loads(configuration)["rootfs"]["diff_ids"], strict=True):
            path = blob_path(layout, diff)
            if not path.exists() and (source := content.extractfile(member)) is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                scratch = path.with_suffix(".part")
                with scratch.open("wb") as target:
                    shutil.copyfileobj(source, target)
                scratch.rename(path)
            layers.append(_layer(layout, diff))
    _record(layout, name, configuration=configuration, layers=layers)


def add_layer(layout: Path, base: str, layer: Path, name: str) -> None:
    """Create the image `name` in `layout`: the image `base` plus one layer, the same for the same files.

    Args:
        layout: folder of the layout.
        base: name of an image in it.
        layer: a tar archive of the layer's files.
        name: name of the new image.

    Raises:
        KeyError: the layout has no image `base`.
    """
    below = find(layout, base)
    if below is None:
        raise KeyError(base)
    manifest = json.loads(blob_path(layout, below.digest).read_bytes())
    configuration = json.loads(blob_path(layout, manifest["config"]["digest"]).read_bytes())
    diff = _write_blob(layout, without_times(layer))
    configuration["rootfs"]["diff_ids"].append(diff)
    configuration.setdefault("history", []).append({"created_by": "COPY --from=source / /"})
    _record(
        layout,
        name,
        configuration=json.dumps(configuration).encode(),
        layers=[*manifest["layers"], _layer(layout, diff)],
    )


def without_times(layer: Path) -> bytes:
    """Return a layer with its files in the order of their names, and no time of a file."""
    result = io.BytesIO()
    with tarfile.open(layer) as content, tarfile.open(fileobj=result, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member in sorted(content, key=lambda member: member.name):
            member.mtime, member.pax_headers = 0, {}
            archive.addfile(member, content.extractfile(member) if member.isfile() else None)
    return result.getvalue()


def write_archive(target: IO[bytes], image: LayoutImage, *, name: str, present: Collection[str]) -> int:
    """Write `image` to `target` as an OCI archive with the name `name`, without the blobs in `present`.

    Returns:
        The total size of the written blobs, in bytes.
    """
    written = 0
    annotations = {_CONTAINERD_NAME: name, _NAME: name.rpartition(":")[2]}
    index = {"schemaVersion": 2, "manifests": [{**image.descriptor, "annotations": annotations}]}
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
        for file, document in (("oci-layout", _VERSION), ("index.json", index)):
            content = json.dumps(document).encode()
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for digest in image.blobs():
            if digest not in present:
                path = blob_path(image.layout, digest)
                archive.add(path, arcname=str(path.relative_to(image.layout)), recursive=False)
                written += path.stat().st_size
    return written


def _entries(layout: Path) -> list[dict[str, Any]]:
    try:
        index = json.loads((Path(layout) / "index.json").read_text())
    except FileNotFoundError:
        return []
    entries: list[dict[str, Any]] = index["manifests"]
    return entries


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    return file.read() if file else b""


def _write_blob(layout: Path, content: bytes) -> str:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    path = blob_path(layout, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest


def _layer(layout: Path, diff: str) -> dict[str, Any]:
    return {"mediaType": f"{_MEDIA}.layer.v1.tar", "digest": diff, "size": blob_path(layout, diff).stat().st_size}


def _record(layout: Path, name: str, *, configuration: bytes, layers: list[dict[str, Any]]) -> None:
    """Write configuration and manifest of image `name`, and append it to the index."""
    config = {
        "mediaType": f"{_MEDIA}.config.v1+json",
        "digest": _write_blob(layout, configuration),
        "size": len(configuration),
    }
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": f"{_MEDIA}.manifest.v1+json", "config": config, "layers": layers}
    ).encode()
    digest = _write_blob(layout, manifest)
    entry = {
        "mediaType": f"{_MEDIA}.manifest.v1+json",
        "digest": digest,
        "size": len(manifest),
        "annotations": {_NAME: name},
    }
    others = [each for each in _entries(layout) if each.get("annotations", {}).get(_NAME) != name]
    (layout / "oci-layout").write_text(json.dumps(_VERSION))
    scratch = layout / ".index.json"
    scratch.write_text(json.dumps({"schemaVersion": 2, "manifests": [*others, entry]}))
    scratch.rename(layout / "index.json")
