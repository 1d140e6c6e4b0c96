"""Build the images with buildah into the cache, once per state of their inputs."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import cache, debian
from tools.cluster.host.progress import echo, step
from tools.cluster.images import base, buildah, oci, secrets
from tools.cluster.images.images import IMAGES, dockerfile, reference, require_known, stages
from tools.cluster.instance import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Sequence

_BUILDER_FILE = "FROM {base}\nCOPY pip /usr/lib/python3/dist-packages/\n"
#: Number of states kept per image, for switching between branches.
_KEPT = 3


def _dependencies_key(name: str) -> str:
    """Return the hash of the inputs of all layers but the last."""
    text = stages(dockerfile(name).read_text())
    return cache.key(
        text[""], text["builder"], text["dependencies"], CHECKOUT / "requirements" / f"{name}.txt", base.key()
    )


def _source_key(name: str) -> str:
    """Return the hash of the inputs of the last layer, which images with equal Dockerfile stages share."""
    text = stages(dockerfile(name).read_text())
    return cache.key(text["compiled"], text["source"], text["final"], CHECKOUT / "operator/perennate", base.key())


def stored_names(names: Sequence[str] = IMAGES) -> dict[str, str]:
    """Return the cache name of each image in `names` for the current sources.

    Raises:
        ClusterError: there is no such image.
    """
    require_known(names)
    return {name: f"{name}-{cache.key(_dependencies_key(name), _source_key(name))}" for name in names}


def dependency_names() -> dict[str, str]:
    """Return the images that hold only the dependencies, without our source: image -> cache name."""
    return {f"{name}-dependencies": f"{name}-dependencies-{_dependencies_key(name)}" for name in IMAGES}


def build(names: Sequence[str] = IMAGES) -> dict[str, str]:
    """Build the images `names` with buildah into the cache, if their inputs have changed.

    Returns:
        Image -> cache name, for `load`: the sources may change again in the meantime.

    Raises:
        ClusterError: a build failed.
    """
    with cache.locked("images"):
        wanted = stored_names(names)
        present = set(oci.names(buildah.layouts()))
        missing = [name for name, stored in wanted.items() if stored not in present]
        if not missing:
            echo("the images are up to date")
            return wanted
        debian.install_missing(debian.IMAGE_PACKAGES)
        bases = base_images()
        for name in missing:
            with step(f"building {reference(name)}"):
                _build(name, stored=wanted[name], bases=bases)
        _remove_outdated(set(wanted.values()))
        return wanted


def _build(name: str, *, stored: str, bases: tuple[str, str]) -> None:
    """Build one image from its dependencies, if they changed, and the layer of our source.

    This function appends the last layer itself. buildah would read and export all dependencies again, which takes half
    a minute per image.
    """
    dependencies = dependency_names()[f"{name}-dependencies"]
    if dependencies not in oci.names(buildah.layouts()):
        tag = f"localhost/perennate-{name}-dependencies:{_dependencies_key(name)}"
        with step(f"installing the dependencies of {name}"), secrets.mounted() as (_, mounts):
            # The same files give the same layer.
            options = [*_base_arguments(bases), *mounts, "--timestamp=0", "--target=dependencies", f"--tag={tag}"]
            buildah.build(dockerfile(name), CHECKOUT, options, what=f"build the image {name}")
            buildah.export(tag, dependencies)

    layer = cache.entry("source", _source_key(name), partial(build_source, name, bases))
    oci.add_layer(buildah.layouts(), dependencies, layer, stored)


def build_source(name: str, bases: tuple[str, str], target: Path, *, checkout: Path = CHECKOUT) -> None:
    """Write the layer of our source in an image as a tar archive.

    Args:
        name: the image.
        bases: from `base_images`.
        target: path of the archive.
        checkout: folder with the source.

    Raises:
        ClusterError: the build failed.
    """
    options = [*_base_arguments(bases), "--target=source", f"--output=type=tar,dest={target}"]
    buildah.build(dockerfile(name), checkout, options, what=f"build the source layer of {name}")


def _base_arguments(bases: tuple[str, str]) -> list[str]:
    return [f"--build-arg=BASE={bases[0]}", f"--build-arg=BUILDER={bases[1]}"]


def base_images() -> tuple[str, str]:
    """Return the substitutes for python:3.11-slim-bookworm: one to run in, and one with pip."""
    folder = base.folder()
    plain, builder = f"localhost/perennate-base:{base.key()}", f"localhost/perennate-builder:{base.key()}"
    images = buildah.buildah(["images", "--format", "{{.Name}}:{{.Tag}}"], what="list the images").split()
    for image, text in ((plain, "FROM scratch\nADD rootfs.tar /\n"), (builder, _BUILDER_FILE.format(base=plain))):
        if image not in images:
            with tempfile.TemporaryDirectory() as scratch:
                file = Path(scratch) / "Dockerfile"
                file.write_text(text)
                buildah.build(file, folder, [f"--tag={image}"], what=f"build {image}")
    return plain, builder


def _remove_outdated(current: set[str]) -> None:
    """Remove all but the newest states of each image, of its dependencies and of our source."""
    cache.keep_newest("source", _KEPT)
    stored = oci.names(buildah.layouts())
    unwanted = set(outdated(stored)) - current
    if unwanted:
        oci.remove(buildah.layouts(), unwanted)


def outdated(stored: Sequence[str]) -> list[str]:
    """Return the names in `stored` (`<kind>-<hash>`, oldest first) with at least three newer ones of the same kind."""
    kinds: dict[str, list[str]] = {}
    for name in stored:
        kinds.setdefault(name.rpartition("-")[0], []).append(name)
    return [name for names in kinds.values() for name in names[:-_KEPT]]
