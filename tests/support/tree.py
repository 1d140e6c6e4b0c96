"""The files of the repository, for tests of its rules."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


def files(*suffixes: str) -> list[Path]:
    """Every file that is in git or not ignored by git, optionally with one of the suffixes."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    found = [ROOT / name for name in sorted(set(names)) if name]
    return [path for path in found if path.is_file() and (not suffixes or path.suffix in suffixes)]


def label(path: Path) -> str:
    """Path from the root, for messages and test ids."""
    return path.relative_to(ROOT).as_posix()


def manifests(*folders: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """File and content of every Kubernetes object in the YAML files below the folders."""
    for path in files(".yaml", ".yml"):
        name = label(path)
        if name.startswith(tuple(f"{folder}/" for folder in folders)):
            for document in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader):
                if isinstance(document, dict) and "kind" in document:
                    yield name, document
