"""The locked requirements are complete, hashed, without addresses, and separate for each image."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = sorted(
    [
        *(ROOT / "requirements").glob("*.txt"),
        *(ROOT / "benchmarks").glob("*/requirements/*.txt"),
        *(ROOT / "tests" / "clients").glob("*.txt"),
    ]
)
IMAGES = ("operator", "trainer", "serving")
# Packages that an image must not contain, and those that it must.
BANNED = {
    "operator": {"scikit-learn", "skops", "joblib", "pandas", "pyarrow", "bentoml", "matplotlib"},
    "trainer": {"kopf", "kubernetes", "bentoml", "aiohttp", "matplotlib"},
    "serving": {"kopf", "kubernetes", "matplotlib"},
}
TOOLS = {"pytest", "mypy", "ruff", "uv", "hypothesis", "coverage", "pre-commit", "import-linter"}
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins(path: Path) -> dict[str, set[str]]:
    """Versions of each package in the file. Some packages have one version for each Python version."""
    found: dict[str, set[str]] = {}
    for match in filter(None, map(PIN.match, path.read_text().splitlines())):
        found.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return found


def project() -> dict[str, Any]:
    """The `project` table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_line_is_a_pin_a_hash_or_a_comment(path: Path) -> None:
    """A lock has no index, no address, and no package without a version and a hash."""
    text = path.read_text().splitlines()
    strange = [line for line in text if not (PIN.match(line) or HASH.match(line) or line.lstrip().startswith("#"))]
    assert strange == []
    unhashed = [line for line, after in pairwise([*text, ""]) if PIN.match(line) and not HASH.match(after)]
    assert unhashed == []
    assert pins(path)


@pytest.mark.parametrize("image", IMAGES)
def test_images_use_the_versions_of_the_development_environment(image: str) -> None:
    development = pins(ROOT / "requirements" / "dev.txt")
    locked = pins(ROOT / "requirements" / f"{image}.txt")
    assert {name: versions for name, versions in locked.items() if not versions <= development.get(name, set())} == {}


@pytest.mark.parametrize("image", IMAGES)
def test_images_contain_no_forbidden_package(image: str) -> None:
    """No model library in the operator, no Kubernetes client in other pods, no development tools in any image."""
    locked = pins(ROOT / "requirements" / f"{image}.txt")
    assert locked.keys() & (BANNED[image] | TOOLS) == set()


@pytest.mark.parametrize("extra", [*IMAGES, "dev"])
def test_the_lock_contains_all_declared_dependencies(extra: str) -> None:
    declared = [Requirement(line) for line in [*project()["dependencies"], *project()["optional-dependencies"][extra]]]
    locked = pins(ROOT / "requirements" / f"{extra}.txt")
    for requirement in declared:
        versions = locked.get(canonicalize_name(requirement.name), set())
        if requirement.name != project()["name"]:
            assert versions, f"{requirement} is not in requirements/{extra}.txt: run `make lock`"
            assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions}"


def test_the_other_servers_of_the_benchmark_read_the_same_model() -> None:
    """The model is written by the development environment, with these versions."""
    development = pins(ROOT / "requirements" / "dev.txt")
    peer = pins(ROOT / "benchmarks" / "serving" / "requirements" / "mlserver.txt")
    for name in ("joblib", "numpy", "scikit-learn"):
        assert peer[name] == development[name], f"{name}: run `make lock`"


def test_no_setting_of_uv_overrides_locked_versions() -> None:
    """Overrides would apply at installation."""
    assert "uv" not in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]


def test_bentoml_contains_the_required_security_fixes() -> None:
    """Releases before 1.4.40 have known vulnerabilities (pickle over HTTP, server-side request forgery)."""
    (version,) = pins(ROOT / "requirements" / "serving.txt")["bentoml"]
    assert Requirement("bentoml>=1.4.40,<1.5").specifier.contains(version)
