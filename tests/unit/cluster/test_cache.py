"""The cache builds each thing once, and never shows a thing that is half built."""

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
    """Give each test a cache of its own."""
    monkeypatch.setenv("PERENNATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_second_request_does_not_build_again() -> None:
    """The same name and inputs give the same path, built once."""
    built: list[Path] = []

    def build(target: Path) -> None:
        built.append(target)
        target.write_text("made")

    first = cache.entry("thing", "1", build)
    assert (first, first.read_text()) == (cache.entry("thing", "1", build), "made")
    assert len(built) == 1


def test_an_entry_is_built_under_a_lock_of_its_own_name() -> None:
    """The kind cluster holds the lock `kind` while it compiles the program `kind`: it must not wait for itself."""
    built = threading.Event()

    def build(target: Path) -> None:
        target.touch()
        built.set()

    with cache.locked("thing"):
        threading.Thread(target=lambda: cache.entry("thing", "1", build), daemon=True).start()
        assert built.wait(10)


def test_other_inputs_are_another_entry() -> None:
    one = cache.entry("thing", "1", lambda target: target.touch())
    assert one != cache.entry("thing", "2", lambda target: target.touch())
    assert one.exists()


def test_a_failed_build_leaves_nothing(own_cache: Path) -> None:
    def build(target: Path) -> None:
        target.mkdir()
        (target / "half").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.entry("thing", "1", build)
    assert [path.name for path in own_cache.iterdir()] == ["locks"]


def test_builders_at_the_same_time_build_once() -> None:
    """Two builders of one thing wait for each other and share the result."""
    built: list[Path] = []

    def build(target: Path) -> None:
        built.append(target)
        target.touch()

    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: cache.entry("thing", "1", build), range(8)))
    assert len(paths) == len(built) == 1


def test_only_the_newest_are_kept(own_cache: Path) -> None:
    """A cache does not grow with every change of the source; entries of other names are not touched."""
    for number in range(4):
        os.utime(cache.entry("source", str(number), lambda target: target.touch()), (number, number))
    cache.entry("sources", "x", lambda target: target.touch())
    cache.keep_newest("source", 2)
    assert sorted(path.name for path in own_cache.glob("source*")) == ["source-2", "source-3", "sources-x"]


def test_a_key_depends_on_names_and_contents(tmp_path: Path) -> None:
    """A changed, renamed, added or moved byte changes the key; compiled Python does not."""
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
