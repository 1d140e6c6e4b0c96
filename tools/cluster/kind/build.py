"""Build our images with a Docker engine and its layer cache."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from tools.cluster.host.commands import run_streaming
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import echo, step
from tools.cluster.images import images, secrets
from tools.cluster.instance import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.cluster.kind.engine import Engine

#: Names a base image with Python 3.11 and pip, for machines without access to an image registry.
BASE_VARIABLE = "PERENNATE_BASE_IMAGE"
#: BuildKit's plain progress prints "#9 [builder 3/3] RUN ..." when a step begins, then "#9 CACHED" if it is cached.
_STEP = re.compile(r"^(?P<number>#\d+) \[(?!internal)(?P<step>[^\]]+)\] (?P<command>(?:RUN|COPY) .+)$")
_WIDTH = 90
#: Docker passes these to a build by name, and keeps them out of the image history.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_LOOPBACK = re.compile(r"\b(?:localhost|127(?:\.\d+){3})\b|\[::1\]")


def build(names: Sequence[str], engine: Engine) -> None:
    """Build the images `names`.

    Raises:
        ClusterError: a build failed, or cannot reach the package index.
    """
    images.require_known(names)
    for name in names:
        with step(f"building {images.reference(name)}"), secrets.mounted() as (settings, options):
            place = network_options(settings.configuration, os.environ, engine)
            command = ["docker", "build", "--progress=plain", *place, *build_arguments(os.environ), *options]
            command += ["--file", str(images.dockerfile(name)), "--tag", images.reference(name), str(CHECKOUT)]
            run_streaming(command, what=f"build the image {name}", on_line=Progress(), env=build_environment(engine))


def build_environment(engine: Engine) -> dict[str, str]:
    """Return the environment variables of a build; a client ignores those that it does not know.

    They enable BuildKit for clients before 23, select the engine's own builder even if another is the default, and
    disable attestations, which an archive of the image would reference but not contain.
    """
    return {"DOCKER_BUILDKIT": "1", "BUILDX_BUILDER": engine.context, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


def build_arguments(environ: Mapping[str, str]) -> list[str]:
    """Return the build arguments: the base image if overridden, and the names of the proxy variables in `environ`.

    `SOURCE_DATE_EPOCH` is the time that BuildKit 0.11 or newer writes into the image instead of the time of the build.
    """
    base = environ.get(BASE_VARIABLE)
    own = ["--build-arg=SOURCE_DATE_EPOCH=0", *([f"--build-arg=BASE={base}"] if base else [])]
    return [*own, *(f"--build-arg={name}" for name in _PROXIES if environ.get(name))]


def network_options(configuration: str, environ: Mapping[str, str], engine: Engine) -> list[str]:
    """Return the host-network option if the package index or a proxy is on the loopback address; else no option.

    Raises:
        ClusterError: the engine runs in a virtual machine, which has its own loopback address.
    """
    addresses = "\n".join([configuration, *(environ.get(name, "") for name in _PROXIES if "no" not in name.lower())])
    if _LOOPBACK.search(addresses) is None:
        return []
    if engine.desktop:
        raise ClusterError(
            "The package index or a proxy is on the loopback address, which a build in Docker Desktop cannot reach: "
            "use the host `host.docker.internal` in pip's settings and in the proxy variables."
        )
    return ["--network=host"]


class Progress:
    """Prints the steps of a build that are not cached.

    A step is printed when the next line shows that it is not cached.
    """

    def __init__(self) -> None:
        self._number, self._waiting = "", ""

    def __call__(self, line: str) -> None:
        """Process the next line of the build's output."""
        if line.startswith(f"{self._number} sha256:"):
            # Clients before 23 print the digest of the step first.
            return
        if self._waiting and line != f"{self._number} CACHED":
            echo(self._waiting)
        self._waiting = ""
        found = _STEP.match(line)
        if found:
            self._number = found["number"]
            self._waiting = f"  [{found['step']}] {' '.join(found['command'].split())[:_WIDTH]}"
