"""The project's images: built once for each state of their inputs, loaded into the cluster if they are not there."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import cache, debian
from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import say, step
from tools.cluster.images import buildah, oci, secrets
from tools.cluster.instance import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGES = ("operator", "trainer", "serving")

_SUITE = "bookworm"
_BASE_COMMAND = (
    "mmdebstrap",
    "--variant=minbase",
    "--include=python3,ca-certificates",
    # Nobody reads a manual in a pod.
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    _SUITE,
)
_PIP = "pip==26.3"
_BUILDER_FILE = "FROM {base}\nCOPY pip /usr/lib/python3/dist-packages/\n"
#: States of an image that are kept, for switching between branches.
_KEPT = 3


def reference(name: str) -> str:
    """Return the reference of image `name`: the full form of `perennate/<name>:<version>` in the manifests.

    The tag is not `latest`, so an image that is loaded is never pulled.
    """
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    return f"docker.io/perennate/{name}:{version}"


def check(names: Sequence[str]) -> None:
    """Refuse names that no image has.

    Raises:
        ClusterError: there is no such image.
    """
    unknown = set(names) - set(IMAGES)
    if unknown:
        raise ClusterError(f"There is no image {', '.join(sorted(unknown))}; there are {', '.join(IMAGES)}.")


def stages(dockerfile: str) -> dict[str, str]:
    """Return the text of each named stage of a Dockerfile, comments left out; what comes before the first is "" ."""
    found: dict[str, list[str]] = {"": []}
    current = ""
    for line in dockerfile.splitlines():
        words = line.split()
        if words[:1] == ["FROM"]:
            current = words[3] if len(words) > 3 else "final"
        if not line.startswith("#"):
            found.setdefault(current, []).append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def dockerfile(name: str) -> Path:
    """Return the file that image `name` is built from."""
    return CHECKOUT / "images" / f"{name}.Dockerfile"


def _base_key() -> str:
    return cache.key(*_BASE_COMMAND, _PIP)


def _dependencies_key(name: str) -> str:
    """Hash of what decides an image save for its last layer."""
    text = stages(dockerfile(name).read_text())
    return cache.key(
        text[""], text["builder"], text["dependencies"], CHECKOUT / "requirements" / f"{name}.txt", _base_key()
    )


def _source_key(name: str) -> str:
    """Hash of what decides an image's last layer; the same for all images whose Dockerfiles make it alike."""
    text = stages(dockerfile(name).read_text())
    return cache.key(text["compiled"], text["source"], text["final"], CHECKOUT / "operator/perennate", _base_key())


def stored_names(names: Sequence[str] = IMAGES) -> dict[str, str]:
    """Return, for each of `names`, the name under which the cache holds it for the sources as they are now.

    Raises:
        ClusterError: there is no such image.
    """
    check(names)
    return {name: f"{name}-{cache.key(_dependencies_key(name), _source_key(name))}" for name in names}


def dependency_names() -> dict[str, str]:
    """Return the images of dependencies alone, whose layers all but the last of `IMAGES` are: image -> stored name."""
    return {f"{name}-dependencies": f"{name}-dependencies-{_dependencies_key(name)}" for name in IMAGES}


def build(names: Sequence[str] = IMAGES) -> dict[str, str]:
    """Build the images `names` with buildah into the cache; an image whose inputs have not changed is there already.

    Returns:
        Image -> name under which the cache holds it, for `load`: the sources may change again meanwhile.

    Raises:
        ClusterError: a build failed.
    """
    with cache.locked("images"):
        wanted = stored_names(names)
        present = set(oci.names(buildah.layouts()))
        missing = [name for name, stored in wanted.items() if stored not in present]
        if not missing:
            say("the images are up to date")
            return wanted
        debian.ensure(debian.IMAGES)
        base, builder = _bases()
        for name in missing:
            with step(f"building {reference(name)}"):
                _build(name, stored=wanted[name], base=base, builder=builder)
        _drop_old(set(wanted.values()))
        return wanted


def _build(name: str, *, stored: str, base: str, builder: str) -> None:
    """Build one image: its dependencies if they changed, the layer of our source, and both put together.

    Dependencies are exported once; the last stage, which only copies the layer, is done here. buildah would read all
    dependencies again (to find that they have not changed) and export them again, half a minute for each image.
    """
    bases = [f"--build-arg=BASE={base}", f"--build-arg=BUILDER={builder}"]
    dependencies = dependency_names()[f"{name}-dependencies"]
    if dependencies not in oci.names(buildah.layouts()):
        tag = f"localhost/perennate-{name}-dependencies:{_dependencies_key(name)}"
        with step(f"installing the dependencies of {name}"), secrets.mounted() as (_, mounts):
            options = [*bases, *mounts, "--target=dependencies", f"--tag={tag}"]
            buildah.build(dockerfile(name), CHECKOUT, options, what=f"build the image {name}")
            buildah.export(tag, dependencies)

    def build_source(target: Path) -> None:
        options = [*bases, "--target=source", f"--output=type=tar,dest={target}"]
        buildah.build(dockerfile(name), CHECKOUT, options, what=f"build the source layer of {name}")

    layer = cache.entry("source", _source_key(name), build_source)
    oci.add_layer(buildah.layouts(), dependencies, layer, stored)


def _bases() -> tuple[str, str]:
    """Return the images that stand for python:3.11-slim: one to run in, one that has pip too."""
    key = _base_key()
    folder = cache.entry("base", key, _fetch_bases)
    base, builder = f"localhost/perennate-base:{key}", f"localhost/perennate-builder:{key}"
    images = buildah.buildah(["images", "--format", "{{.Name}}:{{.Tag}}"], what="list the images").split()
    for image, text in ((base, "FROM scratch\nADD rootfs.tar /\n"), (builder, _BUILDER_FILE.format(base=base))):
        if image not in images:
            with tempfile.TemporaryDirectory() as scratch:
                file = Path(scratch) / "Dockerfile"
                file.write_text(text)
                buildah.build(file, folder, [f"--tag={image}"], what=f"make {image}")
    return base, builder


def _fetch_bases(target: Path) -> None:
    target.mkdir()
    with step(f"making a base image of Debian packages ({_SUITE}, about a minute)"):
        run([*_BASE_COMMAND, target / "rootfs.tar"], what="make a base image of Debian packages")
    run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", target, _PIP], what="fetch pip")
    wheel = next(target.glob("*.whl"))
    with zipfile.ZipFile(wheel) as content:
        content.extractall(target / "pip")
    wheel.unlink()


def _drop_old(current: set[str]) -> None:
    """Forget all but the newest states of each image, of its dependencies and of our source."""
    cache.keep_newest("source", _KEPT)
    stored = oci.names(buildah.layouts())
    unwanted = set(outdated(stored)) - current
    if unwanted:
        oci.drop(buildah.layouts(), unwanted)


def outdated(stored: Sequence[str]) -> list[str]:
    """Return those of `stored` (names that end in a hash, oldest first) that have three newer ones of their kind."""
    kinds: dict[str, list[str]] = {}
    for name in stored:
        kinds.setdefault(name.rpartition("-")[0], []).append(name)
    return [name for names in kinds.values() for name in names[:-_KEPT]]


def load(socket: Path, stored: dict[str, str]) -> None:
    """Load all images that the container runtime behind `socket` lacks, and of these only the layers that it lacks.

    Args:
        socket: the runtime's socket.
        stored: image -> name under which the cache holds it.

    Raises:
        ClusterError: an image is not built, or the runtime refused it.
    """
    ctr = ["ctr", "--address", str(socket), "--namespace", "k8s.io"]
    for name, kept in stored.items():
        image = oci.find(buildah.layouts(), kept)
        if image is None:
            raise ClusterError(f"The image {reference(name)} is not built for this source: run `make images`.")
        listed = run([*ctr, "images", "list", f"name=={reference(name)}"], what="list the cluster's images")
        if image.digest in listed:
            say(f"{reference(name)} is loaded already")
            continue
        present = set(run([*ctr, "content", "list", "--quiet"], what="list the cluster's layers").split())
        with step(f"loading {reference(name)}"):
            try:
                _import(ctr, image, name=reference(name), present=present)
            except ClusterError:
                # The runtime may have collected a layer between our look and the import: send everything.
                _import(ctr, image, name=reference(name), present=set())


def _import(ctr: list[str], image: oci.LayoutImage, *, name: str, present: set[str]) -> None:
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*ctr, "images", "import", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
        )
        if process.stdin is None:
            raise ClusterError("The program 'ctr' has no standard input.")
        try:
            oci.write_archive(process.stdin, image, name=name, present=present)
            process.stdin.close()
        except BrokenPipeError:
            # It said why on its way out.
            pass
        if process.wait() != 0:
            errors.seek(0)
            raise ClusterError(f"Cannot load {name}: {errors.read().decode(errors='replace').strip()}")
