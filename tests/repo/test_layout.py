"""The layout of the repository."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import perennate
from tests.support.tree import ROOT, files, label

PACKAGE = [path for path in files(".py") if path.is_relative_to(ROOT / "operator" / "perennate")]
LONGEST = 400
MOST_FILES = 15
SOURCE = ROOT / "operator"
MODULES = {".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path for path in PACKAGE}


def test_the_source_root_has_no_init_module() -> None:
    """`operator/` is a source root; an `__init__.py` would hide the `operator` module of the standard library."""
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_the_standard_library_is_importable_from_the_root() -> None:
    """Python without site packages, started in the root, finds its own `operator` module."""
    code = "import collections, operator; print(operator.__file__)"
    result = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert not Path(result.stdout.strip()).is_relative_to(ROOT)


def test_test_folders_do_not_shadow_the_standard_library() -> None:
    """As above, for the folders below tests/."""
    assert not (ROOT / "tests" / "operator").exists()


def test_every_folder_of_the_package_is_a_package() -> None:
    """import-linter does not see folders without `__init__.py`."""
    bare = {label(path.parent) for path in PACKAGE if not (path.parent / "__init__.py").exists()}
    assert bare == set()


def test_modules_have_at_most_400_lines() -> None:
    lengths = {label(path): len(path.read_text().splitlines()) for path in PACKAGE}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_folders_have_at_most_15_modules() -> None:
    folders = {path.parent for path in PACKAGE}
    sizes = {label(folder): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}


def test_every_package_has_a_docstring() -> None:
    """It says what belongs in the folder."""
    silent = [
        path for path in PACKAGE if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert [label(path) for path in silent] == []


def _imports(path: Path) -> Iterator[str]:
    """The modules of the package that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("perennate."):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


def _folder(module: str) -> str:
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def test_folders_have_no_mutual_imports() -> None:
    """One of two folders can be read and tested without the other."""
    edges = {
        (_folder(module), _folder(imported))
        for module, path in MODULES.items()
        if path.name not in {"__init__.py", "__main__.py"}
        for imported in _imports(path)
    }
    mutual = {tuple(sorted(edge)) for edge in edges if edge[0] != edge[1] and edge[::-1] in edges}
    assert mutual == set()


def test_benchmarks_have_no_import_cycle() -> None:
    """Imports inside functions count too."""
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in files(".py")
        if path.is_relative_to(ROOT / "benchmarks")
    }
    edges = {
        name: {
            found
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
            for found in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
            if found in paths
        }
        for name, path in paths.items()
    }
    assert any(edges.values())
    graphlib.TopologicalSorter(edges).prepare()


def test_the_wheel_contains_only_the_package(tmp_path: Path) -> None:
    """`perennate`, its type marker and its licence."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {name.split("/")[0] for name in names} == {"perennate", f"perennate-{version}.dist-info"}
    assert {"perennate/py.typed", f"perennate-{version}.dist-info/licenses/LICENSE"} <= set(names)


def test_the_licence_is_the_complete_apache_license() -> None:
    """Apache-2.0, as in pyproject.toml, with its appendix."""
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_package_version_matches_pyproject() -> None:
    """Images have the source without a distribution, so the version in the code must match pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert perennate.__version__ == version
