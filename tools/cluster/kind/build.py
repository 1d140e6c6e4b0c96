"""Building the project's images with a Docker engine, whose own cache of layers makes a second build quick."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from tools.cluster.host.commands import follow
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import say, step
from tools.cluster.images import images, secrets
from tools.cluster.instance import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.cluster.kind.engine import Engine

#: Names an image with Python 3.11 and pip in place of the Dockerfiles' base, where no image registry is reached.
BASE_VARIABLE = "PERENNATE_BASE_IMAGE"
#: BuildKit's plain progress tells of a step when it begins, "#9 [builder 3/3] RUN ...", and then perhaps "#9 CACHED".
_STEP = re.compile(r"^(?P<number>#\d+) \[(?!internal)(?P<step>[^\]]+)\] (?P<command>(?:RUN|COPY) .+)$")
_WIDTH = 90
#: Docker passes these to a build by their names alone and keeps them out of the image's history.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_LOOPBACK = re.compile(r"\b(?:localhost|127(?:\.\d+){3})\b|\[::1\]")


def build(names: Sequence[str], engine: Engine) -> None:
    """Build the images `names`.

    Raises:
        ClusterError: a build failed, or could not reach the package index.
    """
    images.check(names)
    for name in names:
        with step(f"building {images.reference(name)}"), secrets.mounted() as (settings, options):
            place = network(settings.configuration, os.environ, engine)
            command = ["docker", "build", "--progress=plain", *place, *arguments(os.environ), *options]
            command += ["--file", str(images.dockerfile(name)), "--tag", images.reference(name), str(CHECKOUT)]
            follow(command, what=f"build the image {name}", tell=Progress(), env=environment(engine))


def environment(engine: Engine) -> dict[str, str]:
    """Return the variables of a build, which one client or another passes over.

    BuildKit for clients before 23; the builder of the engine itself, even if another is the user's default; no
    attestations, which an archive of the image would name but not hold.
    """
    return {"DOCKER_BUILDKIT": "1", "BUILDX_BUILDER": engine.context, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


def arguments(environ: Mapping[str, str]) -> list[str]:
    """Return the build arguments: another base image, and the names of the proxies that `environ` has."""
    base = environ.get(BASE_VARIABLE)
    own = [f"--build-arg=BASE={base}"] if base else []
    return [*own, *(f"--build-arg={name}" for name in _PROXIES if environ.get(name))]


def network(configuration: str, environ: Mapping[str, str], engine: Engine) -> list[str]:
    """Return the option that lets a build reach an index or a proxy on this machine's loopback address, if one is.

    Raises:
        ClusterError: the engine runs in a virtual machine, which has another loopback address.
    """
    addresses = "\n".join([configuration, *(environ.get(name, "") for name in _PROXIES if "no" not in name.lower())])
    if _LOOPBACK.search(addresses) is None:
        return []
    if engine.desktop:
        raise ClusterError(
            "pip's index or proxy is on this machine's loopback address, which a build in Docker Desktop cannot reach: "
            "name it `host.docker.internal` in pip's settings and in the proxy's variables."
        )
    return ["--network=host"]


class Progress:
    """Tells of the steps of a build that are not in the engine's cache: each as soon as the next line shows that."""

    def __init__(self) -> None:
        self._number, self._waiting = "", ""

    def __call__(self, line: str) -> None:
        """Take the next line that the build prints."""
        if line.startswith(f"{self._number} sha256:"):
            # Clients before 23 tell the step's digest first.
            return
        if self._waiting and line != f"{self._number} CACHED":
            say(self._waiting)
        self._waiting = ""
        found = _STEP.match(line)
        if found:
            self._number = found["number"]
            self._waiting = f"  [{found['step']}] {' '.join(found['command'].split())[:_WIDTH]}"
