"""The base image for the project's Dockerfiles on machines without access to a registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import cache
from tools.cluster.host.progress import echo, step
from tools.cluster.images import base

if TYPE_CHECKING:
    from tests.kind.engine.client import Client

REPOSITORY = "perennate-test/base"
_DOCKERFILE = Path(__file__).parent / "Dockerfile"


def parts() -> Path:
    """Return the folder with the root file system and pip, which the other way of building images uses too."""
    return base.folder()


def ensure(client: Client) -> str:
    """Return the name of the base image, and build it if it is missing. The name contains a hash of its inputs."""
    folder = parts()
    name = f"{REPOSITORY}:{cache.key(_DOCKERFILE, folder.name)}"
    if client.has_image(name):
        echo(f"the base image {name} is up to date")
        return name
    with step(f"making the base image {name}"):
        command = ("build", "--quiet", "--file", _DOCKERFILE, "--tag", name, folder)
        client.run(*command, what="make the base image")
    for old in client.images(REPOSITORY):
        if old != name:
            client.run("rmi", "--force", old, what="remove an old base image")
    return name
