"""Profiles and counts documents in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perennate.cli.drift.current.counting import DAY, CurrentData
from perennate.cli.drift.outputs.counts import performance_counts_in
from perennate.drift import Counts, CountsError, Profile, ProfileError, Window
from perennate.drift.data.parsing import decode_digest
from perennate.drift.profile.layout import Layout
from perennate.drift.recording.validation import read_counts
from perennate.tabular.errors import UsageError
from perennate.tabular.reading import first_line
from perennate.text import shortened

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""Maximum size of a document; a counts document of 30 features has 5 kB."""


def read_profile(path: Path) -> Profile:
    """Read a saved profile.

    Raises:
        UsageError: the file does not exist or is not a profile.
    """
    try:
        return Profile.from_bytes(_content(path))
    except ProfileError as error:
        raise UsageError(f"{path}: is not a profile: {error}") from error


def save_profile(profile: Profile, path: Path) -> None:
    """Write a profile.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        path.write_bytes(profile.to_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {first_line(error)}") from error


def add_documents(paths: Sequence[Path], profile: Profile, reference: str) -> CurrentData:
    """Add up the counts documents of pods, one per pod.

    Raises:
        UsageError: a document cannot be read, has another profile, or two are from one pod.
    """
    counts: dict[Path, Counts] = {path: _read_counts(path, profile, reference) for path in paths}
    seen: dict[float, Path] = {}
    for path, found in counts.items():
        if found.start in seen:
            raise UsageError(f"{path}: has the same start as {seen[found.start]}, so both are from one pod")
        seen[found.start] = path
    # The window reaches back to the start of the oldest pod.
    now = max(seen) + DAY
    window = Window(profile, length=now - min(seen), scrape_interval=now - min(seen))
    for path, found in counts.items():
        window.add(found, pod=str(path), now=now)
    sample = window.sample(now)
    return CurrentData(
        tuple(str(path) for path in paths), sample, performance_counts_in(sample), profile.labels_not_counted_reason
    )


def _read_counts(path: Path, profile: Profile, reference: str) -> Counts:
    """One counts document."""
    content = _content(path)
    try:
        digest = decode_digest(content, CountsError)
        if digest not in {None, profile.digest}:
            raise UsageError(
                f"{path}: was counted against profile {shortened(str(digest))}, but {reference} is profile "
                f"{profile.digest}"
            )
        return read_counts(content, Layout(profile))
    except CountsError as error:
        raise UsageError(f"{path}: is not a counts document: {error}") from error


def _content(path: Path) -> bytes:
    """The bytes of a document of acceptable size."""
    try:
        if path.stat().st_size > MAX_DOCUMENT_BYTES:
            raise UsageError(f"{path}: must have at most {MAX_DOCUMENT_BYTES} bytes, got {path.stat().st_size}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{path}: does not exist") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {first_line(error)}") from error
