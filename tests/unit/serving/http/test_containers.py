"""The environment of both containers of a serving pod, and the fetch container."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.serving_config import CaptureConfig
from perennate.artifacts import (
    ArtifactCorruptError,
    ArtifactError,
    ArtifactNotFoundError,
    ArtifactUnusableError,
    load_version,
)
from perennate.serving.config import ServingSettings
from perennate.serving.errors import ConfigError
from perennate.serving.fetch import fetch
from perennate.serving.http.components import Components
from perennate.serving.metrics import Metrics
from tests.support.pods.serving import Published, container_environment, publish_rain

CAPTURE = CaptureConfig(sampling_ratio=1, flush_seconds=1, retention_seconds=60)


def test_only_one_variable_is_required(published: Mapping[str, Published], tmp_path: Path) -> None:
    """Every variable but PERENNATE_SERVING has the default of the pod contract."""
    text = container_environment(published["rain"], tmp_path)["PERENNATE_SERVING"]
    settings = ServingSettings.read({"PERENNATE_SERVING": text})
    assert settings.serving == published["rain"].config()
    assert (str(settings.store_dir), str(settings.model_dir), str(settings.capture_dir)) == (
        "/store",
        "/models",
        "/captured",
    )
    assert (settings.host, settings.traffic_port, settings.operations_port) == ("", 3000, 3001)


BAD = {
    "no variable": ({}, "PERENNATE_SERVING is not set"),
    "invalid JSON": ({"PERENNATE_SERVING": "{"}, "PERENNATE_SERVING: document: Invalid JSON"),
    "no digest": (
        {"PERENNATE_SERVING": '{"namespace": "a", "modelDeployment": "b", "model": "c"}'},
        "PERENNATE_SERVING: digest: Field required",
    ),
    "port 0": ({"PERENNATE_TRAFFIC_PORT": "0"}, "PERENNATE_TRAFFIC_PORT must be a port from 1 to 65535, got '0'"),
    "port not a number": ({"PERENNATE_OPERATIONS_PORT": "http"}, "PERENNATE_OPERATIONS_PORT must be a port"),
}


@pytest.mark.parametrize(("environment", "want"), BAD.values(), ids=BAD.keys())
def test_invalid_environment_names_the_variable(
    environment: dict[str, str], want: str, published: Mapping[str, Published], tmp_path: Path
) -> None:
    if any(name.endswith("PORT") for name in environment):
        environment = {**container_environment(published["rain"], tmp_path), **environment}
    with pytest.raises(ConfigError, match="^" + want.replace("(", r"\(")):
        ServingSettings.read(environment)


def test_fetch_copies_a_version_and_makes_the_capture_folder(
    published: Mapping[str, Published], tmp_path: Path
) -> None:
    """It is idempotent, because a container may be restarted."""
    version = publish_rain(tmp_path / "store")
    settings = ServingSettings.read(container_environment(version, tmp_path / "pod", capture=CAPTURE))
    fetch(settings)
    fetch(settings)
    assert load_version(settings.model_dir, version.digest).manifest == version.manifest
    assert version.store.captured_dir("rain", "rain-service").is_dir()


@pytest.mark.parametrize("strict", [None, False, True])
def test_the_pod_is_strict_if_its_configuration_says_so(strict: bool | None, tmp_path: Path) -> None:
    version = publish_rain(tmp_path / "store")
    environment = container_environment(version, tmp_path / "pod")
    config = version.config().model_copy(update={"strict": strict})
    environment["PERENNATE_SERVING"] = canonical_json(config.to_document()).decode()
    settings = ServingSettings.read(environment)
    fetch(settings)
    components = Components.load(settings, Metrics())
    components.close()
    assert components.model.schema.strict is bool(strict)


def test_fetch_without_capture_writes_only_the_key_to_the_store(tmp_path: Path) -> None:
    """The first pod of a model line creates it; later pods write nothing."""
    version = publish_rain(tmp_path / "store")
    before = set(tmp_path.joinpath("store").rglob("*"))
    settings = ServingSettings.read(container_environment(version, tmp_path / "pod"))
    for _ in range(2):
        fetch(settings)
        keys = tmp_path / "store" / version.store.namespace / ".keys"
        assert set(tmp_path.joinpath("store").rglob("*")) - before == {keys, keys / "rain"}
    assert (settings.key_dir / "id.key").read_bytes() == (keys / "rain").read_bytes()


def test_a_pod_without_a_key_does_not_start(tmp_path: Path) -> None:
    """It would issue ids that no other pod accepts."""
    version = publish_rain(tmp_path / "store")
    settings = ServingSettings.read(container_environment(version, tmp_path / "pod"))
    fetch(settings)
    (settings.key_dir / "id.key").unlink()
    with pytest.raises(ArtifactError, match=r"id\.key does not exist; the container fetch writes it") as caught:
        Components.load(settings, Metrics())
    assert not isinstance(caught.value, ArtifactUnusableError)


@pytest.mark.parametrize("name", ["model.skops", "profile.json", "MODEL_CARD.md", "manifest.json"])
def test_fetch_refuses_a_version_with_a_flipped_bit(name: str, tmp_path: Path) -> None:
    """For every file, the error names the file and both digests, and the manifest is not copied."""
    version = publish_rain(tmp_path / "store")
    path = version.store.version_dir("rain", version.digest) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    os.chmod(path, 0o644)  # noqa: PTH101
    path.write_bytes(content)
    settings = ServingSettings.read(container_environment(version, tmp_path / "pod"))
    with pytest.raises(ArtifactCorruptError, match=rf"{name} has the digest sha256:[0-9a-f]{{64}}, expected sha256:"):
        fetch(settings)
    assert not (settings.model_dir / "manifest.json").exists()


def test_fetch_refuses_a_missing_version(tmp_path: Path) -> None:
    version = publish_rain(tmp_path / "store")
    environment = container_environment(version, tmp_path / "pod")
    environment["PERENNATE_SERVING"] = environment["PERENNATE_SERVING"].replace(version.digest, "sha256:" + "0" * 64)
    with pytest.raises(ArtifactNotFoundError, match=r"version sha256:0{64} is not in "):
        fetch(ServingSettings.read(environment))
