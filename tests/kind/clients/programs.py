"""The newer client and its plugin, compiled once into the cache."""

from __future__ import annotations

from pathlib import Path

from tests.kind.node.programs import compile_module

#: The version that tests/kind/clients/go/docker pins; the client reports it.
VERSION = "28.5.2"
_MODULES = Path(__file__).parent / "go"


def docker() -> Path:
    """Return Docker's client of `VERSION`."""
    flags = f"-s -w -X github.com/docker/cli/cli/version.Version={VERSION}"
    return compile_module("docker-client", _MODULES / "docker", "github.com/docker/cli/cmd/docker", flags)


def buildx() -> Path:
    """Return the plugin that clients since 23 need to build images with secrets."""
    return compile_module("docker-buildx", _MODULES / "buildx", "github.com/docker/buildx/cmd/buildx", "-s -w")
