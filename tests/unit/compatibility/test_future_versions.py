"""Documents of a later release are rejected by their format version, whatever other fields they have."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perennate.api.documents.canonical import canonical_json, digest_bytes
from perennate.api.wellknown import ENV_RUN_REQUEST, ENV_SERVING
from perennate.artifacts import read_version
from perennate.drift import Profile, Window, validate_counts
from perennate.serving.config import ServingSettings
from perennate.trainer.request import read_record, read_request
from tests.support.first_release import content

FUTURE = "perennate.dev/{}/v9"


def future(format_: str) -> bytes:
    """A document of a future version of a format."""
    return canonical_json({"schema": FUTURE.format(format_), "somethingNew": [1]})


def profile() -> Profile:
    """The profile of release 0.1.0."""
    return Profile.from_bytes(content("classification/version/profile.json"))


def read_stored_version(folder: Path) -> Any:
    """Read a version with a manifest of a future version."""
    (folder / "manifest.json").write_bytes(future("manifest"))
    return read_version(folder, digest_bytes(future("manifest")))


def read_run_record(folder: Path) -> Any:
    """Read a run record of a future version."""
    (folder / "run.json").write_bytes(future("run"))
    return read_record(folder / "run.json")


def read_window(_: Path) -> Any:
    """Read a saved window of a future version."""
    return Window.from_bytes(gzip.compress(future("window")), profile(), length=60.0, scrape_interval=1.0, now=1.0)


READERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "run-request": (lambda _: read_request({ENV_RUN_REQUEST: future("run-request").decode()}), ENV_RUN_REQUEST),
    "run": (read_run_record, "run.json"),
    "manifest": (read_stored_version, "manifest.json"),
    "serving": (lambda _: ServingSettings.read({ENV_SERVING: future("serving").decode()}), ENV_SERVING),
    "profile": (lambda _: Profile.from_bytes(future("profile")), ""),
    "counts": (lambda _: validate_counts(json.loads(future("counts")), profile()), ""),
    "window": (read_window, ""),
}
"""The reader of each document, and the location that its error names."""


@pytest.mark.parametrize("format_", READERS)
def test_a_document_of_a_later_release_is_rejected_by_its_version(format_: str, tmp_path: Path) -> None:
    """The error names the location, the field, the supported version and the actual one."""
    read, place = READERS[format_]
    with pytest.raises(Exception, match=r"schema: must be") as refused:
        read(tmp_path)
    message = str(refused.value)
    assert place in message
    assert f"perennate.dev/{format_}/v1" in message
    assert f"got '{FUTURE.format(format_)}'; read it with the release that wrote it" in message
