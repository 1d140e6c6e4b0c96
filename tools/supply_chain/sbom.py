"""Write the software bills of materials (CycloneDX) of the images and of the Python package.

`python -m tools.supply_chain.sbom FOLDER` writes `operator.cdx.json`, `trainer.cdx.json`, `serving.cdx.json` and
`perennate.cdx.json`. They list what the locks install, with hashes, licences and dependencies, and the base image by
digest; the Debian packages of the base image are in its own bill of materials. The same commit gives the same bytes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import uuid
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.supply_chain.locks import Pin, installed
from tools.supply_chain.requires import applies, graph

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
IMAGES: Final = ("operator", "trainer", "serving")
BASE: Final = re.compile(r"^ARG BASE=(?P<name>[^:@]+):(?P<tag>[^@]+)@(?P<digest>sha256:[0-9a-f]{64})$", re.MULTILINE)
LICENCE: Final = "License :: OSI Approved :: "
NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://perennate.dev/sbom")


def main(folder: Path) -> int:
    """Write all documents into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    made = _commit_time()
    for name in (*IMAGES, "perennate"):
        bom = of_package(project) if name == "perennate" else of_image(project, name)
        path = folder / f"{name}.cdx.json"
        path.write_text(render(bom, made))
        print(f"{path}: {len(bom.components)} components")
    return 0


def of_image(project: Mapping[str, Any], image: str) -> Bom:
    """The bill of materials of an image: the packages of its lock, our source, and the base image."""
    source = _project_component(project)
    root = Component(name=f"perennate/{image}", version=project["version"], type=ComponentType.CONTAINER, bom_ref=image)
    base = _base_image((ROOT / "images" / f"{image}.Dockerfile").read_text())
    bom = _bom(root, [source, base])
    bom.register_dependency(root, [source, base])
    roots = _requirements(project["dependencies"], project["optional-dependencies"][image])
    _add_packages(bom, source, roots, installed(ROOT / "requirements" / f"{image}.txt"))
    return bom


def of_package(project: Mapping[str, Any]) -> Bom:
    """The bill of materials of the Python package as developed and tested; packages of extras are optional."""
    root = _project_component(project)
    bom = _bom(root, [])
    required = _requirements(project["dependencies"])
    extras = [project["optional-dependencies"][extra] for extra in (*IMAGES, "cli")]
    roots = _requirements(project["dependencies"], *extras)
    _add_packages(bom, root, roots, installed(ROOT / "requirements" / "dev.txt"), required=set(graph(required)))
    return bom


def render(bom: Bom, made: datetime) -> str:
    """The document as JSON. Its serial number follows from its content."""
    bom.metadata.timestamp = made
    bom.serial_number = uuid.UUID(int=0, version=4)
    content = JsonV1Dot6(bom).output_as_string()
    bom.serial_number = uuid.uuid5(NAMESPACE, content)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _bom(root: Component, components: Iterable[Component]) -> Bom:
    bom = Bom(metadata=BomMetaData(component=root), components=components)
    bom.metadata.tools.components.add(this_component())
    return bom


def _add_packages(
    bom: Bom, source: Component, roots: list[Requirement], pins: Mapping[str, Pin], *, required: set[str] | None = None
) -> None:
    """Add the packages that the roots need.

    Raises:
        KeyError: a package is not in the lock.
    """
    needed = graph(roots)
    components = {
        name: _package(pins[name], is_required=required is None or name in required) for name in sorted(needed)
    }
    bom.components.update(components.values())
    bom.register_dependency(source, [components[canonicalize_name(root.name)] for root in roots])
    for name, names in needed.items():
        bom.register_dependency(components[name], [components[other] for other in sorted(names)])


def _package(pin: Pin, *, is_required: bool) -> Component:
    return Component(
        name=pin.name,
        version=pin.version,
        bom_ref=f"{pin.name}=={pin.version}",
        purl=PackageURL("pypi", name=pin.name, version=pin.version),
        external_references=[_distribution(pin)],
        licenses=_licences(pin.name),
        scope=ComponentScope.REQUIRED if is_required else ComponentScope.OPTIONAL,
    )


def _distribution(pin: Pin) -> ExternalReference:
    """The files of a package, of which one is installed."""
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.hashes]
    # The name of the package, because the address depends on the index.
    package = XsUri(PackageURL("pypi", name=pin.name, version=pin.version).to_string())
    return ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=package, hashes=hashes)


def _project_component(project: Mapping[str, Any]) -> Component:
    name, version = project["name"], project["version"]
    return Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=f"{name}=={version}",
        purl=PackageURL("pypi", name=name, version=version),
        licenses=[LicenseExpression(project["license"])],
    )


def _base_image(dockerfile: str) -> Component:
    found = BASE.search(dockerfile)
    if found is None:
        raise ValueError("the Dockerfile must name its base image with tag and digest, as `ARG BASE=NAME:TAG@sha256:…`")
    name, tag, digest = found["name"], found["tag"], found["digest"]
    purl = PackageURL("docker", name=name, version=digest, qualifiers={"tag": tag})
    return Component(name=name, version=tag, type=ComponentType.CONTAINER, bom_ref=f"{name}@{digest}", purl=purl)


def _licences(package: str) -> list[LicenseExpression | DisjunctiveLicense]:
    """The licence that the metadata of the package declares: an expression, else classifiers, else the name of one."""
    declared = metadata.metadata(package)
    if "License-Expression" in declared:
        return [LicenseExpression(declared["License-Expression"])]
    classifiers = declared.get_all("Classifier") or []
    names = {line.removeprefix(LICENCE) for line in classifiers if line.startswith(LICENCE)}
    if not names and "License" in declared:
        # Some packages have the whole text of the licence here. Its first line is the name.
        names = {declared["License"].partition("\n")[0]}
    return [DisjunctiveLicense(name=name) for name in sorted(names)]


def _requirements(*groups: Iterable[str]) -> list[Requirement]:
    found = [Requirement(line) for group in groups for line in group]
    return [requirement for requirement in found if applies(requirement)]


def _commit_time() -> datetime:
    """The time in `SOURCE_DATE_EPOCH`, or that of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    git = ("git", "log", "-1", "--format=%ct")
    seconds = given or subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return datetime.fromtimestamp(int(seconds), UTC)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
