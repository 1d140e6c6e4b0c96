"""Publishing and fetching versions: once, whole, and never another one under the same name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.model_manifest import MANIFEST_FILE
from perennate.artifacts import (
    ArtifactConflictError,
    ArtifactCorruptError,
    ArtifactError,
    ArtifactNotFoundError,
    ModelStore,
    read_manifest,
    read_version,
)
from perennate.artifacts.files import PARTIAL_PREFIX
from tests.support.pods.artifacts import ZERO, make_files, make_manifest


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """An empty store."""
    return ModelStore(tmp_path, "team-a")


def publish(store: ModelStore, files: dict[str, bytes] | None = None) -> str:
    """Publish a version and give its digest."""
    files = files or make_files()
    return store.publish(make_manifest(files), files)


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Inode and content of every file in a folder."""
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()}


def test_the_version_is_the_digest_of_the_manifest_file(store: ModelStore) -> None:
    """Anyone can check a version with `sha256sum`: the folder's name is the digest of its manifest's bytes."""
    digest = publish(store)
    folder = store.root / "team-a" / "fraud" / "versions" / digest.removeprefix("sha256:")
    assert hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest() == folder.name
    assert {path.name for path in folder.iterdir()} == {*make_files(), MANIFEST_FILE}


def test_publishing_again_changes_nothing(store: ModelStore) -> None:
    """Who finds a version published compares it and is done: not one file is written again."""
    digest = publish(store)
    before = snapshot(store.version_dir("fraud", digest))
    assert publish(store) == digest
    assert snapshot(store.version_dir("fraud", digest)) == before


def test_published_files_are_read_only(store: ModelStore) -> None:
    folder = store.version_dir("fraud", publish(store))
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}


@pytest.mark.parametrize("kept", range(4))
def test_what_a_killed_publisher_left_is_completed(store: ModelStore, kept: int) -> None:
    """A version is completed from any number of its files, and a half-written hidden file is swept away."""
    digest = publish(store)
    folder = store.version_dir("fraud", digest)
    whole = {name: content for name, (_, content) in snapshot(folder).items()}
    for name in [*sorted(make_files()), MANIFEST_FILE][kept:]:
        (folder / name).unlink()
    (folder / f"{PARTIAL_PREFIX}0123456789abcdef").write_bytes(b"mod")
    assert publish(store) == digest
    assert {name: content for name, (_, content) in snapshot(folder).items()} == whole


def test_a_version_without_manifest_is_not_there(store: ModelStore) -> None:
    digest = publish(store)
    (store.version_dir("fraud", digest) / MANIFEST_FILE).unlink()
    with pytest.raises(ArtifactNotFoundError, match="never published there"):
        store.read("fraud", digest)


@pytest.mark.parametrize("name", [*make_files(), MANIFEST_FILE])
def test_a_file_with_other_bytes_is_never_overwritten(store: ModelStore, name: str) -> None:
    """A damaged file stops publishing with a message; nothing in the store is ever replaced."""
    digest = publish(store)
    path = store.version_dir("fraud", digest) / name
    path.unlink()
    path.write_bytes(b"something else")
    with pytest.raises(ArtifactConflictError, match=f"{name} holds other bytes"):
        publish(store)
    assert path.read_bytes() == b"something else"


def test_files_must_be_those_of_the_manifest(store: ModelStore) -> None:
    """A manifest that lists other bytes than are given publishes nothing."""
    manifest = make_manifest(make_files(model=b"one"))
    with pytest.raises(ArtifactError, match="must agree"):
        store.publish(manifest, make_files(model=b"two"))
    assert not (store.root / "team-a").exists()


def test_fetch_copies_and_verifies(store: ModelStore, tmp_path: Path) -> None:
    """A fetched copy is a version of its own right: whole, verified, and fetched again at no harm."""
    digest = publish(store)
    target = tmp_path / "models"
    manifest = store.fetch("fraud", digest, target)
    assert read_version(target, digest).files == make_files()
    assert store.fetch("fraud", digest, target) == manifest


def test_fetch_never_mixes_two_versions(store: ModelStore, tmp_path: Path) -> None:
    first = publish(store)
    second = publish(store, make_files(model=b"another"))
    target = tmp_path / "models"
    store.fetch("fraud", first, target)
    with pytest.raises(ArtifactConflictError):
        store.fetch("fraud", second, target)
    assert read_version(target, first).model == b"model"


def flip(path: Path) -> None:
    """Change one byte, keep the size."""
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(content))


def truncate(path: Path) -> None:
    """Cut the file."""
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    """Leave 0 bytes."""
    path.chmod(0o644)
    path.write_bytes(b"")


def link(path: Path) -> None:
    """Put a symbolic link to the same bytes in its place."""
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(elsewhere)


def fifo(path: Path) -> None:
    """Put a pipe in its place, which a careless reader would wait for."""
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", [flip, truncate, empty, link, Path.unlink])
@pytest.mark.parametrize("name", ["model.skops", "profile.json", "MODEL_CARD.md"])
def test_damage_is_found_and_nothing_is_copied(
    store: ModelStore, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    """Every byte is checked: a changed, cut, emptied, linked or missing file stops the fetch before it writes."""
    digest = publish(store)
    damage(store.version_dir("fraud", digest) / name)
    with pytest.raises(ArtifactCorruptError, match=name):
        store.fetch("fraud", digest, tmp_path / "models")
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("damage", [flip, truncate, empty, link])
def test_a_damaged_manifest_is_found(store: ModelStore, damage: Callable[[Path], None]) -> None:
    """The manifest itself must have the digest that was asked for."""
    digest = publish(store)
    damage(store.version_dir("fraud", digest) / MANIFEST_FILE)
    with pytest.raises(ArtifactCorruptError, match=MANIFEST_FILE):
        store.read_manifest("fraud", digest)


def test_a_pipe_is_no_file(store: ModelStore) -> None:
    """Only regular files are read; opening a pipe would otherwise wait for ever."""
    digest = publish(store)
    path = store.version_dir("fraud", digest) / "model.skops"
    fifo(path)
    writer = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(ArtifactCorruptError, match="no regular file"):
            store.read("fraud", digest)
    finally:
        os.close(writer)


def test_another_version_under_the_wanted_name_is_refused(store: ModelStore) -> None:
    digest = publish(store)
    wanted = "sha256:" + "a" * 64
    store.version_dir("fraud", digest).rename(store.version_dir("fraud", wanted))
    with pytest.raises(ArtifactCorruptError, match="digest"):
        store.read("fraud", wanted)


def test_a_version_of_another_line_is_refused(store: ModelStore) -> None:
    """The manifest names its model line; a version copied to another line's folder is not served."""
    digest = publish(store)
    target = store.version_dir("churn", digest)
    target.parent.mkdir(parents=True)
    store.version_dir("fraud", digest).rename(target)
    with pytest.raises(ArtifactCorruptError, match="belongs to the model line 'fraud'"):
        store.read("churn", digest)


LISTINGS = {
    "a path that leads out": (["model.skops", "profile.json", "../evil"], "no file name"),
    "a path below": (["model.skops", "profile.json", "a/b"], "no file name"),
    "a hidden file": (["model.skops", "profile.json", ".partial-1"], "no file name"),
    "the manifest itself": (["model.skops", "profile.json", "manifest.json"], "or itself"),
    "a file twice": (["model.skops", "profile.json", "model.skops"], "twice"),
    "no model": (["profile.json"], "lists no model.skops"),
    "no profile": (["model.skops"], "lists no profile.json"),
}


@pytest.mark.parametrize("case", LISTINGS)
def test_a_manifest_that_lists_what_it_must_not_is_refused(tmp_path: Path, case: str) -> None:
    """A manifest with the right digest is still not trusted to name files outside its folder."""
    names, wanted = LISTINGS[case]
    manifest = make_manifest({}, files=[{"path": name, "digest": ZERO, "size": 0} for name in names])
    (tmp_path / MANIFEST_FILE).write_bytes(canonical_json(manifest.to_document()))
    with pytest.raises(ArtifactError, match=wanted):
        read_manifest(tmp_path, manifest.digest)


def test_a_manifest_of_a_newer_release_is_refused_with_its_field(tmp_path: Path) -> None:
    """What this release cannot read it does not half understand."""
    content = b'{"schema":"perennate.dev/manifest/v9"}'
    (tmp_path / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(ArtifactCorruptError, match=r"cannot be read by this release: schema"):
        read_manifest(tmp_path, f"sha256:{hashlib.sha256(content).hexdigest()}")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc", "", "A", "-a", "a" * 64, "a\n", "a\0"])
def test_no_name_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    """Namespaces, model lines and deployments are plain names, whatever asks for them."""
    with pytest.raises(ArtifactError, match="is no name of a"):
        ModelStore(tmp_path, name).version_dir("fraud", ZERO)
    with pytest.raises(ArtifactError, match="is no name of a"):
        ModelStore(tmp_path, "team-a").version_dir(name, ZERO)
    with pytest.raises(ArtifactError, match="is no name of a"):
        ModelStore(tmp_path, "team-a").captured_dir("fraud", name)


@pytest.mark.parametrize(
    "digest", ["", "sha256:", "sha256:../..", "sha256:" + "0" * 63, "md5:" + "0" * 64, ZERO + "\n"]
)
def test_no_digest_leads_out_of_the_store(tmp_path: Path, digest: str) -> None:
    """A digest is 64 hexadecimal digits, so that it cannot be a path."""
    with pytest.raises(ArtifactError, match="is not a digest"):
        ModelStore(tmp_path, "team-a").version_dir("fraud", digest)


@pytest.mark.parametrize("path", ["../team-b/data.csv", "/etc/passwd", "a/../../x", "out/passwd"])
def test_no_data_path_leads_out_of_the_namespace(store: ModelStore, tmp_path: Path, path: str) -> None:
    """`file://` stays inside the namespace's folder, also through a symbolic link."""
    (tmp_path / "team-a").mkdir()
    (tmp_path / "team-a" / "out").symlink_to("/etc")
    with pytest.raises(ArtifactError, match="leads out of its folder"):
        store.file(path)


def test_captured_rows_lie_beside_the_versions(store: ModelStore) -> None:
    """Serving and training pods agree on one folder for captured rows."""
    assert store.captured_dir("fraud", "shop") == store.root / "team-a" / "fraud" / "captured" / "shop"


def test_a_full_store_is_reported(tmp_path: Path) -> None:
    (tmp_path / "team-a").write_text("in the way")
    with pytest.raises(ArtifactError, match="cannot be created"):
        publish(ModelStore(tmp_path, "team-a"))
