"""Publishing and fetching model versions: idempotent, complete and verified."""

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
from perennate.artifacts.versions.files import PARTIAL_PREFIX
from tests.support.pods.artifacts import ZERO, make_files, make_manifest


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """An empty store."""
    return ModelStore(tmp_path, "team-a")


def publish(store: ModelStore, files: dict[str, bytes] | None = None) -> str:
    """Publish a version and return its digest."""
    files = files or make_files()
    return store.publish(make_manifest(files), files)


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """The inode and the content of each file in a folder."""
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()}


def test_the_version_is_the_digest_of_the_manifest_file(store: ModelStore) -> None:
    """`sha256sum` can verify a version: the name of its folder is the digest of the manifest file."""
    digest = publish(store)
    folder = store.root / "team-a" / "fraud" / "versions" / digest.removeprefix("sha256:")
    assert hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest() == folder.name
    assert {path.name for path in folder.iterdir()} == {*make_files(), MANIFEST_FILE}


def test_publishing_again_changes_nothing(store: ModelStore) -> None:
    """Publishing is idempotent: files that exist with the same content are not written again."""
    digest = publish(store)
    before = snapshot(store.version_dir("fraud", digest))
    assert publish(store) == digest
    assert snapshot(store.version_dir("fraud", digest)) == before


def test_published_files_are_read_only(store: ModelStore) -> None:
    folder = store.version_dir("fraud", publish(store))
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}


@pytest.mark.parametrize("kept", range(4))
def test_an_incomplete_version_is_completed(store: ModelStore, kept: int) -> None:
    """Publishing completes a version from any subset of its files and deletes partially written files."""
    digest = publish(store)
    folder = store.version_dir("fraud", digest)
    whole = {name: content for name, (_, content) in snapshot(folder).items()}
    for name in [*sorted(make_files()), MANIFEST_FILE][kept:]:
        (folder / name).unlink()
    (folder / f"{PARTIAL_PREFIX}0123456789abcdef").write_bytes(b"mod")
    assert publish(store) == digest
    assert {name: content for name, (_, content) in snapshot(folder).items()} == whole


def test_a_version_without_manifest_does_not_exist(store: ModelStore) -> None:
    digest = publish(store)
    (store.version_dir("fraud", digest) / MANIFEST_FILE).unlink()
    with pytest.raises(ArtifactNotFoundError, match="was not published there"):
        store.read("fraud", digest)


@pytest.mark.parametrize("name", [*make_files(), MANIFEST_FILE])
def test_a_file_with_different_content_is_never_overwritten(store: ModelStore, name: str) -> None:
    """If a published file has different content, publishing fails; files in the store are never replaced."""
    digest = publish(store)
    path = store.version_dir("fraud", digest) / name
    path.unlink()
    path.write_bytes(b"something else")
    with pytest.raises(ArtifactConflictError, match=f"{name} differs from the version that is published"):
        publish(store)
    assert path.read_bytes() == b"something else"


def test_files_must_match_the_manifest(store: ModelStore) -> None:
    """If the files do not match the manifest, nothing is published."""
    manifest = make_manifest(make_files(model=b"one"))
    with pytest.raises(ArtifactError, match="must be equal"):
        store.publish(manifest, make_files(model=b"two"))
    assert not (store.root / "team-a").exists()


def test_fetch_copies_and_verifies(store: ModelStore, tmp_path: Path) -> None:
    """A fetched copy is complete and verified, and fetching again is idempotent."""
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
    """Change one byte and keep the size."""
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(content))


def truncate(path: Path) -> None:
    """Remove the last byte of the file."""
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    """Remove the content of the file."""
    path.chmod(0o644)
    path.write_bytes(b"")


def link(path: Path) -> None:
    """Replace the file by a symbolic link to the same content."""
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(elsewhere)


def fifo(path: Path) -> None:
    """Replace the file by a named pipe, which blocks an ordinary reader."""
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", [flip, truncate, empty, link, Path.unlink])
@pytest.mark.parametrize("name", ["model.skops", "profile.json", "MODEL_CARD.md"])
def test_a_damaged_version_is_detected_and_not_copied(
    store: ModelStore, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    """Fetch verifies all files before it writes any: a changed, truncated, linked or missing file is an error."""
    digest = publish(store)
    damage(store.version_dir("fraud", digest) / name)
    with pytest.raises(ArtifactCorruptError, match=name):
        store.fetch("fraud", digest, tmp_path / "models")
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("damage", [flip, truncate, empty, link])
def test_a_damaged_manifest_is_detected(store: ModelStore, damage: Callable[[Path], None]) -> None:
    """The manifest must match the requested digest."""
    digest = publish(store)
    damage(store.version_dir("fraud", digest) / MANIFEST_FILE)
    with pytest.raises(ArtifactCorruptError, match=MANIFEST_FILE):
        store.read_manifest("fraud", digest)


def test_a_named_pipe_is_rejected(store: ModelStore) -> None:
    """Only regular files are read; opening a named pipe would block."""
    digest = publish(store)
    path = store.version_dir("fraud", digest) / "model.skops"
    fifo(path)
    writer = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(ArtifactCorruptError, match="not a regular file"):
            store.read("fraud", digest)
    finally:
        os.close(writer)


def test_a_version_in_the_folder_of_another_digest_is_rejected(store: ModelStore) -> None:
    digest = publish(store)
    wanted = "sha256:" + "a" * 64
    store.version_dir("fraud", digest).rename(store.version_dir("fraud", wanted))
    with pytest.raises(ArtifactCorruptError, match="digest"):
        store.read("fraud", wanted)


def test_a_version_of_another_line_is_rejected(store: ModelStore) -> None:
    """The manifest names its model line, so a version in the folder of another line is rejected."""
    digest = publish(store)
    target = store.version_dir("churn", digest)
    target.parent.mkdir(parents=True)
    store.version_dir("fraud", digest).rename(target)
    with pytest.raises(ArtifactCorruptError, match="belongs to the model line 'fraud'"):
        store.read("churn", digest)


LISTINGS = {
    "a path to a parent folder": (["model.skops", "profile.json", "../evil"], "not a valid file name"),
    "a path to a subfolder": (["model.skops", "profile.json", "a/b"], "not a valid file name"),
    "a hidden file": (["model.skops", "profile.json", ".partial-1"], "not a valid file name"),
    "the manifest itself": (["model.skops", "profile.json", "manifest.json"], "or lists itself"),
    "a duplicate file": (["model.skops", "profile.json", "model.skops"], "twice"),
    "no model": (["profile.json"], "lists no model.skops"),
    "no profile": (["model.skops"], "lists no profile.json"),
}


@pytest.mark.parametrize("case", LISTINGS)
def test_a_manifest_with_an_invalid_list_of_files_is_rejected(tmp_path: Path, case: str) -> None:
    """Even a manifest with the right digest must not name files outside its folder."""
    names, wanted = LISTINGS[case]
    manifest = make_manifest({}, files=[{"path": name, "digest": ZERO, "size": 0} for name in names])
    (tmp_path / MANIFEST_FILE).write_bytes(canonical_json(manifest.to_document()))
    with pytest.raises(ArtifactError, match=wanted):
        read_manifest(tmp_path, manifest.digest)


def test_a_manifest_of_a_newer_release_is_rejected_with_its_field(tmp_path: Path) -> None:
    """A manifest with an unknown schema version is rejected as a whole."""
    content = b'{"schema":"perennate.dev/manifest/v9"}'
    (tmp_path / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(ArtifactCorruptError, match=r"cannot be read by this release: schema"):
        read_manifest(tmp_path, f"sha256:{hashlib.sha256(content).hexdigest()}")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc", "", "A", "-a", "a" * 64, "a\n", "a\0"])
def test_names_cannot_escape_the_store(tmp_path: Path, name: str) -> None:
    """Namespaces, model lines and deployments must be plain names, so that no name can be a path."""
    with pytest.raises(ArtifactError, match=r"is not a valid .* name"):
        ModelStore(tmp_path, name).version_dir("fraud", ZERO)
    with pytest.raises(ArtifactError, match=r"is not a valid .* name"):
        ModelStore(tmp_path, "team-a").version_dir(name, ZERO)
    with pytest.raises(ArtifactError, match=r"is not a valid .* name"):
        ModelStore(tmp_path, "team-a").captured_dir("fraud", name)


@pytest.mark.parametrize(
    "digest", ["", "sha256:", "sha256:../..", "sha256:" + "0" * 63, "md5:" + "0" * 64, ZERO + "\n"]
)
def test_digests_cannot_escape_the_store(tmp_path: Path, digest: str) -> None:
    """A digest must have 64 hexadecimal digits, so that it cannot be a path."""
    with pytest.raises(ArtifactError, match="is not a digest"):
        ModelStore(tmp_path, "team-a").version_dir("fraud", digest)


@pytest.mark.parametrize("path", ["../team-b/data.csv", "/etc/passwd", "a/../../x", "out/passwd"])
def test_data_paths_cannot_escape_the_namespace(store: ModelStore, tmp_path: Path, path: str) -> None:
    """A `file://` path must stay inside the folder of the namespace, even through a symbolic link."""
    (tmp_path / "team-a").mkdir()
    (tmp_path / "team-a" / "out").symlink_to("/etc")
    with pytest.raises(ArtifactError, match="is outside its folder"):
        store.file(path)


def test_captured_rows_are_stored_beside_the_versions(store: ModelStore) -> None:
    """Serving and training pods use the same folder for captured rows."""
    assert store.captured_dir("fraud", "shop") == store.root / "team-a" / "fraud" / "captured" / "shop"


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "team-a").write_text("in the way")
    with pytest.raises(ArtifactError, match="cannot be created"):
        publish(ModelStore(tmp_path, "team-a"))
