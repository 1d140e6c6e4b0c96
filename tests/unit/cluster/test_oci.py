"""Image archives and layouts: reproducible, and without layers that the receiver has."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from tools.cluster.images import archive, oci

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """Return a layout with the image `base`, which contains one program."""
    (tmp_path / "tool-0123").write_bytes(b"program")
    archive.write(tmp_path / "tool.tar", image="localhost/tool:1", program=tmp_path / "tool-0123")
    with (tmp_path / "tool.tar").open("rb") as content:
        oci.import_archive(content, tmp_path / "layout", "base")
    return tmp_path / "layout"


def _layer(path: Path, names: tuple[str, ...] = ("opt/file",), *, time: int = 0) -> Path:
    with tarfile.open(path, "w") as content:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = 3, time
            content.addfile(entry, io.BytesIO(b"new"))
    return path


def _configuration(image: oci.LayoutImage) -> dict[str, object]:
    document: dict[str, object] = json.loads(oci.blob_path(image.layout, image.blobs()[1]).read_bytes())
    return document


def test_archives_are_reproducible(tmp_path: Path) -> None:
    """An archive contains no time and no owner, so it can be an input of a cache key."""
    (tmp_path / "tool-1").write_bytes(b"program")
    for name in ("one", "two"):
        archive.write(tmp_path / name, image="localhost/tool:1", program=tmp_path / "tool-1")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_entrypoint_is_the_program(layout: Path) -> None:
    """The name of the program in the image does not contain the cache key."""
    image = oci.find(layout, "base")
    assert image is not None
    assert _configuration(image)["config"] == {"Entrypoint": ["/tool"]}


def test_add_layer_creates_an_image_with_the_layer_last(layout: Path, tmp_path: Path) -> None:
    """The new image is the old one plus a layer; the old image is kept."""
    oci.add_layer(layout, "base", _layer(tmp_path / "layer.tar"), "full")
    base, full = oci.find(layout, "base"), oci.find(layout, "full")
    assert base is not None
    assert full is not None
    assert oci.names(layout) == ["base", "full"]
    assert full.blobs()[2:-1] == base.blobs()[2:]
    assert _configuration(full)["rootfs"] == {"type": "layers", "diff_ids": full.blobs()[2:]}


def test_a_layer_depends_on_no_time_and_no_order_of_its_files(tmp_path: Path) -> None:
    first = oci.without_times(_layer(tmp_path / "one.tar", ("a", "b"), time=1))
    assert oci.without_times(_layer(tmp_path / "two.tar", ("b", "a"), time=2)) == first
    with tarfile.open(fileobj=io.BytesIO(first)) as content:
        assert [(entry.name, entry.mtime, entry.size) for entry in content] == [("a", 0, 3), ("b", 0, 3)]


def test_add_layer_requires_a_base_image(layout: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="other"):
        oci.add_layer(layout, "other", _layer(tmp_path / "layer.tar"), "full")


def test_blobs_that_the_receiver_has_are_omitted(layout: Path, tmp_path: Path) -> None:
    """Only missing blobs are written, with the image name for containerd."""
    oci.add_layer(layout, "base", _layer(tmp_path / "layer.tar"), "full")
    base, full = oci.find(layout, "base"), oci.find(layout, "full")
    assert base is not None
    assert full is not None
    target = io.BytesIO()
    written = oci.write_archive(target, full, name="example/tool:2", present=set(base.blobs()))
    target.seek(0)
    with tarfile.open(fileobj=target) as content:
        index = json.load(content.extractfile("index.json") or io.BytesIO())
        blobs = {name.removeprefix("blobs/sha256/") for name in content.getnames() if name.startswith("blobs/")}
    assert blobs == {digest.removeprefix("sha256:") for digest in full.blobs()} - {
        digest.removeprefix("sha256:") for digest in base.blobs()
    }
    assert written == sum(oci.blob_path(layout, f"sha256:{digest}").stat().st_size for digest in blobs)
    assert index["manifests"][0]["annotations"]["io.containerd.image.name"] == "example/tool:2"


def test_removing_an_image_keeps_shared_layers(layout: Path, tmp_path: Path) -> None:
    oci.add_layer(layout, "base", _layer(tmp_path / "layer.tar"), "full")
    oci.remove(layout, {"base"})
    full = oci.find(layout, "full")
    assert full is not None
    assert {path.name for path in (layout / "blobs").glob("*/*")} == {
        each.removeprefix("sha256:") for each in full.blobs()
    }
