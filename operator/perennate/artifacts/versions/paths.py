"""Paths in the store. Every name is checked, so that no path leads out of the store."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Final

from perennate.api.documents.captured_rows import captured_path
from perennate.api.meta import DIGEST_PATTERN, NAME_PATTERN
from perennate.artifacts.errors import ArtifactError

NAME_LIMIT: Final = 63
KEYS_FOLDER: Final = ".keys"
"""Folder of the keys of a namespace. No model line can have this name."""
FILE_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"


def namespace_dir(root: Path, namespace: str) -> Path:
    """`<root>/<namespace>`: the part of the store that a namespace can access."""
    return root / _name(namespace, "namespace")


def versions_dir(root: Path, namespace: str, model: str) -> Path:
    """`<root>/<namespace>/<model>/versions`."""
    return namespace_dir(root, namespace) / _name(model, "model") / "versions"


def version_dir(root: Path, namespace: str, model: str, digest: str) -> Path:
    """`<root>/<namespace>/<model>/versions/<hexdigest>`."""
    if not re.fullmatch(DIGEST_PATTERN, digest):
        raise ArtifactError(f"{digest!r} is not a digest; give `sha256:` and 64 hexadecimal digits")
    return versions_dir(root, namespace, model) / digest.removeprefix("sha256:")


def captured_dir(root: Path, namespace: str, model: str, model_deployment: str) -> Path:
    """`<root>/<namespace>/<model>/captured/<model deployment>`."""
    names = _name(namespace, "namespace"), _name(model, "model"), _name(model_deployment, "model deployment")
    return root / captured_path(*names)


def key_file(root: Path, namespace: str, model: str) -> Path:
    """`<root>/<namespace>/.keys/<model>`: the key of a model line."""
    return namespace_dir(root, namespace) / KEYS_FOLDER / _name(model, "model")


def file_name(name: str) -> str:
    """Check the file name of a version and return it.

    Raises:
        ArtifactError: the name is hidden, or has other characters than letters, digits, `.`, `_` and `-`.
    """
    if not re.fullmatch(FILE_PATTERN, name):
        raise ArtifactError(
            f"{name!r} is not a valid file name of a version; allowed are letters, digits, `.`, `_` and `-`"
        )
    return name


def inside(folder: Path, path: str) -> Path:
    """Resolve a relative path. The result must be inside the folder, also after symbolic links are resolved.

    Raises:
        ArtifactError: the path is outside the folder, or leads to the keys of a store.
    """
    parts = PurePosixPath(path).parts
    resolved = folder.joinpath(*parts).resolve()
    if PurePosixPath(path).is_absolute() or ".." in parts or not resolved.is_relative_to(folder.resolve()):
        raise ArtifactError(f"{path!r} is outside its folder; use a relative path without `..`")
    if KEYS_FOLDER in resolved.relative_to(folder.resolve()).parts:
        raise ArtifactError(f"{path!r} is in {KEYS_FOLDER}, which holds the keys of the store; use another file")
    return resolved


def _name(name: str, what: str) -> str:
    if len(name) > NAME_LIMIT or not re.fullmatch(NAME_PATTERN, name):
        raise ArtifactError(
            f"{name!r} is not a valid {what} name; allowed are at most {NAME_LIMIT} lowercase letters, digits and `-`"
        )
    return name
