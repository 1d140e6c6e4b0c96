"""The cache builds each entry once, and never returns a partial entry."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tools.cluster.host import cache

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test its own cache."""
    monkeypatch.setenv("PERENNATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_entry_is_built_once() -> None:
    """The same name and inputs give the same path, and one build."""
    built: list[Path] = []

    def build(target: Path) -> None:
        built.append(target)
        target.write_text("made")

    first = cache.entry("thing", "1", build)
    assert (first, first.read_text()) == (cache.entry("thing", "1", build), "made")
    assert len(built) == 1


def test_a_build_may_hold_another_lock_of_the_same_name() -> None:
    """The kind cluster holds the lock `kind` while it compiles the program `kind`: this must not deadlock."""
    built = threading.Event()

    def build(target: Path) -> None:
        target.touch()
        built.set()

    with cache.locked("thing"):
        threading.Thread(target=lambda: cache.entry("thing", "1", build), daemon=True).start()
        assert built.wait(10)


def test_different_inputs_give_different_entries() -> None:
    one = cache.entry("thing", "1", lambda target: target.touch())
    assert one != cache.entry("thing", "2", lambda target: target.touch())
    assert one.exists()


def test_a_failed_build_leaves_no_entry(own_cache: Path) -> None:
    def build(target: Path) -> None:
        target.mkdir()
        (target / "half").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.entry("thing", "1", build)
    assert [path.name for path in own_cache.iterdir()] == ["locks"]


def test_concurrent_builders_build_once() -> None:
    """Concurrent builders wait for each other and share the result."""
    built: list[Path] = []

    def build(target: Path) -> None:
        built.append(target)
        target.touch()

    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: cache.entry("thing", "1", build), range(8)))
    assert len(paths) == len(built) == 1


def test_only_the_newest_entries_are_kept(own_cache: Path) -> None:
    """Old entries are removed; entries with other names are kept."""
    for number in range(4):
        os.utime(cache.entry("source", str(number), lambda target: target.touch()), (number, number))
    cache.entry("sources", "x", lambda target: target.touch())
    cache.keep_newest("source", 2)
    assert sorted(path.name for path in own_cache.glob("source*")) == ["source-2", "source-3", "sources-x"]


def test_a_key_depends_on_names_and_contents(tmp_path: Path) -> None:
    """Changed, renamed, added or moved files change the key; compiled Python files do not."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a").write_text("xy")
    keys = [cache.key(folder)]
    (folder / "a").write_text("xz")
    keys.append(cache.key(folder))
    (folder / "a").rename(folder / "b")
    keys.append(cache.key(folder))
    (folder / "c").touch()
    keys.append(cache.key(folder))
    assert len(set(keys)) == 4
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/a.pyc").touch()
    assert cache.key(folder) == keys[-1]
    assert cache.key("ab", "c") != cache.key("a", "bc")
