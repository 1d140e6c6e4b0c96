"""The key of a model line in the store."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from perennate.artifacts import ArtifactError, ModelStore
from perennate.artifacts.versions.keys import KEY_BYTES, copy_key, read_key

if TYPE_CHECKING:
    from pathlib import Path

PODS = 8


def test_a_key_is_created_once(tmp_path: Path) -> None:
    """Every later pod, of any version, gets the same key; another model line has another."""
    store = ModelStore(tmp_path, "team-a")
    key = store.key("rain")
    assert len(key) == KEY_BYTES
    assert [store.key("rain"), ModelStore(tmp_path, "team-a").key("rain")] == [key, key]
    assert len({key, store.key("wind"), ModelStore(tmp_path, "team-b").key("rain")}) == 3
    path = tmp_path / "team-a" / ".keys" / "rain"
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (key, 0o400)


def test_pods_that_start_together_get_one_key(tmp_path: Path) -> None:
    for round_number in range(20):
        store, start = ModelStore(tmp_path, f"team-{round_number}"), threading.Barrier(PODS)

        def key(store: ModelStore = store, start: threading.Barrier = start) -> bytes:
            start.wait()
            return store.key("rain")

        with ThreadPoolExecutor(PODS) as pool:
            found = {future.result() for future in [pool.submit(key) for _ in range(PODS)]}
        folder = tmp_path / store.namespace / ".keys"
        assert [path.read_bytes() for path in folder.iterdir()] == list(found)


@pytest.mark.parametrize("content", [b"", b"short", bytes(KEY_BYTES + 1)], ids=["empty", "short", "long"])
def test_a_damaged_key_is_not_replaced(content: bytes, tmp_path: Path) -> None:
    """Another key would refuse the labels of all earlier predictions, so a person decides."""
    store = ModelStore(tmp_path, "team-a")
    store.key("rain")
    path = tmp_path / "team-a" / ".keys" / "rain"
    path.chmod(0o600)
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="this is no key of 32 bytes; remove it"):
        store.key("rain")
    assert path.read_bytes() == content


def test_a_key_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """A link could lead to a file whose content an attacker knows."""
    known = tmp_path / "known"
    known.write_bytes(bytes(KEY_BYTES))
    path = tmp_path / "team-a" / ".keys" / "rain"
    path.parent.mkdir(parents=True)
    path.symlink_to(known)
    with pytest.raises(ArtifactError, match="this is no key"):
        ModelStore(tmp_path, "team-a").key("rain")


def test_a_copy_of_an_earlier_attempt_is_replaced(tmp_path: Path) -> None:
    """The init container may run again in the same pod, after the key in the store was replaced."""
    for key in (bytes(KEY_BYTES), b"k" * KEY_BYTES):
        copy_key(key, tmp_path / "id.key")
        assert read_key(tmp_path / "id.key") == key
    assert (tmp_path / "id.key").stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize("path", [".keys/rain", "rain/../.keys/rain", "./.keys/rain", "link"])
def test_a_key_is_no_data(path: str, tmp_path: Path) -> None:
    """`file://` leads to every other file of the namespace."""
    store = ModelStore(tmp_path, "team-a")
    store.key("rain")
    (tmp_path / "team-a" / "link").symlink_to(tmp_path / "team-a" / ".keys" / "rain")
    with pytest.raises(ArtifactError, match=r"outside its folder|holds the keys"):
        store.file(path)
