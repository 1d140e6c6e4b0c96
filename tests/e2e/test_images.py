"""Content, user and configuration of the images."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cluster.local_cluster import LocalCluster, chosen_provider
from tools.cluster.images import build, buildah, images, oci
from tools.cluster.instance import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

_MODULES = {"operator": "perennate.controllers", "trainer": "perennate.trainer", "serving": "perennate.serving"}
#: Second word of a file with byte code that is never compared with its source (PEP 552).
UNCHECKED_HASH = (1).to_bytes(4, "little")
#: Programs that build or download software.
_TOOLS = {"pip", "pip3", "gcc", "cc", "g++", "make", "go", "git", "curl", "wget"}


@dataclass(frozen=True)
class _Image:
    """Configuration and file names of one image."""

    configuration: dict[str, Any]
    files: frozenset[str]


def _from_layout(name: str) -> _Image:
    """An image that buildah built, from the layout in the cache."""
    built = oci.find(buildah.layouts(), build.stored_names([name])[name])
    assert built is not None
    _, configuration, *layers = built.blobs()
    files: set[str] = set()
    for layer in layers:
        with tarfile.open(oci.blob_path(built.layout, layer)) as content:
            files.update(content.getnames())
    return _image(json.loads(oci.blob_path(built.layout, configuration).read_bytes()), files)


def _from_engine(name: str, folder: Path) -> _Image:
    """An image that Docker built, from the archive of `docker save`."""
    archive = folder / "image.tar"
    subprocess.run(["docker", "save", "--output", archive, images.reference(name)], check=True)
    files: set[str] = set()
    with tarfile.open(archive) as content:
        (manifest,) = json.loads(_member(content, "manifest.json"))
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=content.extractfile(layer)) as part:
                files.update(part.getnames())
        configuration = json.loads(_member(content, manifest["Config"]))
    archive.unlink()
    return _image(configuration, files)


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def _image(configuration: dict[str, Any], files: set[str]) -> _Image:
    return _Image(configuration, frozenset(file.removeprefix("./") for file in files))


@pytest.fixture(scope="module", params=images.IMAGES)
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, _Image]:
    """Each image, built from the current sources."""
    name: str = request.param
    # In a separate process, as in `make images`, because a build prints a lot.
    LocalCluster("never-started", provider=chosen_provider()).run("images", name)
    if chosen_provider() == "packages":
        return name, _from_layout(name)
    return name, _from_engine(name, tmp_path_factory.mktemp("image"))


def test_an_image_runs_its_entrypoint_as_an_unprivileged_user(image: tuple[str, _Image]) -> None:
    """The user id is numeric and above 10000, so that Kubernetes can verify it. Manifests set only arguments."""
    name, found = image
    config = found.configuration["config"]
    assert config["Entrypoint"] == ["python", "-P", "-s", "-m", _MODULES[name]]
    assert (config["WorkingDir"], "PYTHONSAFEPATH=1" in config["Env"]) == ("/", True)
    assert int(config["User"].partition(":")[0]) > 10000


def test_an_image_contains_no_build_tool_and_no_cache(image: tuple[str, _Image]) -> None:
    """A running pod cannot build or download software, and has no download cache."""
    _, found = image
    programs = {path.rpartition("/")[2] for path in found.files if "/bin/" in path or "/sbin/" in path}
    assert not programs & _TOOLS
    assert not [
        path for path in found.files if "site-packages/pip/" in path or "/.cache/" in path or path.endswith(".whl")
    ]


def test_an_image_contains_no_package_index_address(image: tuple[str, _Image]) -> None:
    """Neither in a layer, nor in a variable, nor in the history."""
    _, found = image
    assert not [path for path in found.files if path.endswith("pip.conf") or path.startswith("run/secrets/")]
    assert not [each for each in found.configuration["config"]["Env"] if each.startswith(("PIP_", "SSL_", "HTTP"))]
    assert "index-url" not in json.dumps(found.configuration)


def test_an_image_contains_compiled_byte_code(image: tuple[str, _Image]) -> None:
    """The root file system is read-only, so Python cannot cache byte code."""
    _, found = image
    sources = [path for path in found.files if path.startswith("opt/perennate/") and path.endswith(".py")]
    assert sources
    for path in sources:
        folder, _, file = path.rpartition("/")
        assert f"{folder}/__pycache__/{file.removesuffix('.py')}.cpython-311.pyc" in found.files


@pytest.mark.skipif(chosen_provider() != "packages", reason="Docker keeps the times of files")
def test_the_layer_of_our_source_depends_on_the_content_of_the_source_only(
    image: tuple[str, _Image], tmp_path: Path
) -> None:
    """Another checkout, at another time, gives the same bytes."""
    name, _ = image
    checkout = tmp_path / "checkout"
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "operator", checkout / "operator", ignore=without_caches, copy_function=shutil.copyfile)
    built = oci.find(buildah.layouts(), build.stored_names([name])[name])
    assert built is not None
    build.build_source(name, build.base_images(), tmp_path / "layer.tar", checkout=checkout)
    digest = hashlib.sha256(oci.without_times(tmp_path / "layer.tar")).hexdigest()
    assert built.blobs()[-1] == f"sha256:{digest}"


@pytest.mark.skipif(chosen_provider() != "packages", reason="Docker keeps the times of files")
def test_our_layers_contain_no_time(image: tuple[str, _Image]) -> None:
    """Byte code names its source by hash. The same packages and the same source give the same layers."""
    built = oci.find(buildah.layouts(), build.stored_names([image[0]])[image[0]])
    assert built is not None
    for digest in built.blobs()[-2:]:
        with tarfile.open(oci.blob_path(built.layout, digest)) as content:
            entries = content.getmembers()
            compiled = [entry for entry in entries if entry.name.endswith(".pyc")]
            by_hash = [_member(content, entry.name)[4:8] == UNCHECKED_HASH for entry in compiled]
        assert {entry.mtime for entry in entries} == {0}
        assert compiled
        assert all(by_hash)


def test_the_operator_image_contains_no_model_library() -> None:
    """The operator never loads a model."""
    text = (CHECKOUT / "requirements/operator.txt").read_text()
    assert "kopf==" in text
    assert not [name for name in ("scikit-learn==", "bentoml==", "skops==", "pandas==") if name in text]
