"""Where things lie under the root of the store, and why no name can lead out of it."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Final

from perennate.api.documents.captured_rows import captured_path
from perennate.api.meta import DIGEST_PATTERN, NAME_PATTERN
from perennate.artifacts.errors import ArtifactError

NAME_LIMIT: Final = 63
FILE_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"


def namespace_dir(root: Path, namespace: str) -> Path:
    """`<root>/<namespace>`: everything that a namespace may see."""
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


def file_name(name: str) -> str:
    """The name, if it is a plain file name.

    Raises:
        ArtifactError: the name could lead to another folder, or is hidden.
    """
    if not re.fullmatch(FILE_PATTERN, name):
        raise ArtifactError(f"{name!r} is no file name of a version; allowed are letters, digits, `.`, `_` and `-`")
    return name


def inside(folder: Path, path: str) -> Path:
    """The file that a relative path names, which must lie inside the folder also after links are followed.

    Raises:
        ArtifactError: the path leads out of the folder.
    """
    parts = PurePosixPath(path).parts
    resolved = folder.joinpath(*parts).resolve()
    if PurePosixPath(path).is_absolute() or ".." in parts or not resolved.is_relative_to(folder.resolve()):
        raise ArtifactError(f"{path!r} leads out of its folder; name a file inside it, without `..`")
    return resolved


def _name(name: str, what: str) -> str:
    if len(name) > NAME_LIMIT or not re.fullmatch(NAME_PATTERN, name):
        raise ArtifactError(
            f"{name!r} is no name of a {what}; allowed are at most {NAME_LIMIT} lowercase letters, digits and `-`"
        )
    return name
