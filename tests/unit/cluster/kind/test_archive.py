"""Conversion of an archive of `docker save`: all manifests, but only missing layers."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile

import pytest

from tools.cluster.kind import archive

_REFERENCES = ("perennate/operator:0.1.0", "perennate/trainer:0.1.0")
_SHARED, _OWN = b"layer of both images" * 100, b"layer of one image" * 100


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _add(content: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    content.addfile(entry, io.BytesIO(data))


def _save(*, packed: bool) -> io.BytesIO:
    """Return two images as Docker writes them: plain layers in folders, the second as a link; or compressed blobs."""
    saved = io.BytesIO()
    with tarfile.open(fileobj=saved, mode="w") as content:
        entries = []
        members = {}
        for layer in (_SHARED, _OWN):
            data = gzip.compress(layer, mtime=0) if packed else layer
            name = f"blobs/sha256/{_digest(data)[7:]}" if packed else f"{_digest(layer)[7:]}/layer.tar"
            members[layer] = name
            _add(content, name, data)
        if not packed:
            link = tarfile.TarInfo("second/layer.tar")
            link.type, link.linkname = tarfile.SYMTYPE, f"../{members[_SHARED]}"
            content.addfile(link)
        for reference, layers in zip(_REFERENCES, ([_SHARED], [_SHARED, _OWN]), strict=True):
            configuration = json.dumps({"rootfs": {"diff_ids": [_digest(layer) for layer in layers]}}).encode()
            _add(content, f"{_digest(configuration)[7:]}.json", configuration)
            names = [members[layer] for layer in layers]
            if not packed and len(layers) > 1:
                names[0] = "second/layer.tar"
            entries.append({"Config": f"{_digest(configuration)[7:]}.json", "RepoTags": [reference], "Layers": names})
        _add(content, "manifest.json", json.dumps(entries).encode())
    saved.seek(0)
    return saved


def _convert(saved: io.BytesIO, present: list[str]) -> tuple[int, dict[str, bytes]]:
    target = io.BytesIO()
    written = archive.write_missing(saved, target, present=present)
    target.seek(0)
    with tarfile.open(fileobj=target) as content:
        files = {member.name: content.extractfile(member) for member in content}
        return written, {name: file.read() for name, file in files.items() if file is not None}


@pytest.mark.parametrize("packed", [False, True])
def test_every_blob_is_named_by_its_digest_and_written_once(packed: bool) -> None:
    """Index, manifests, configurations and layers."""
    written, files = _convert(_save(packed=packed), [])
    assert written == 2
    index = json.loads(files["index.json"])
    names = [each["annotations"]["io.containerd.image.name"] for each in index["manifests"]]
    assert names == [f"docker.io/{reference}" for reference in _REFERENCES]
    for described in index["manifests"]:
        manifest = json.loads(files[f"blobs/sha256/{described['digest'][7:]}"])
        for blob in (described, manifest["config"], *manifest["layers"]):
            content = files[f"blobs/sha256/{blob['digest'][7:]}"]
            assert (_digest(content), len(content)) == (blob["digest"], blob["size"])
        assert {layer["mediaType"].endswith("+gzip") for layer in manifest["layers"]} == {packed}


def test_a_layer_that_the_node_has_is_omitted() -> None:
    """The manifest still lists the layer, with its size."""
    written, files = _convert(_save(packed=False), [_digest(_SHARED)])
    assert written == 1
    assert f"blobs/{_digest(_SHARED).replace(':', '/')}" not in files
    assert files[f"blobs/{_digest(_OWN).replace(':', '/')}"] == _OWN


@pytest.mark.parametrize(
    ("tag", "want"),
    [
        ("perennate/operator:0.1.0", "docker.io/perennate/operator:0.1.0"),
        ("localhost/perennate-operator:0.1.0", "localhost/perennate-operator:0.1.0"),
        ("docker.io/perennate/operator:0.1.0", "docker.io/perennate/operator:0.1.0"),
        ("registry.example/team/operator:1", "registry.example/team/operator:1"),
    ],
)
def test_names_include_the_registry(tag: str, want: str) -> None:
    """Docker omits its own registry; containerd needs the full name."""
    assert archive.full_name(tag) == want
