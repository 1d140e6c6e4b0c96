"""Links, anchors, files, fields and reasons in documents exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from perennate.api.schema import resource_schema
from perennate.api.v1alpha1 import KINDS
from tests.support.docs.pages import ROOT, pages, prose

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SUFFIXES = (".py", ".md", ".yaml", ".sh", ".json", ".toml", ".svg", ".Dockerfile")
WRITTEN_IN_PODS = {
    "run.json",
    "model.skops",
    "profile.json",
    "manifest.json",
    "MODEL_CARD.md",
    "metrics.json",
    "environment.json",
}
"""Files that exist in pods and stores, not in the repository."""
EXTERNAL = re.compile(r"https?://|mailto:")
PAGES = {page.relative_to(ROOT).as_posix(): page for page in pages()}


def anchors(page: Path) -> set[str]:
    """The anchors that common renderers give to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Relative links of a page without a target."""
    broken = []
    for inline, attribute in LINK.findall(CODE.sub("", prose(page))):
        target = inline or attribute
        if EXTERNAL.match(target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    return broken


def linked_pages(page: Path) -> set[Path]:
    """The targets of the links of a page."""
    return {(page.parent / (a or b).partition("#")[0]).resolve() for a, b in LINK.findall(page.read_text())}


def looks_like_a_file(code: str) -> bool:
    """Whether inline code is meant as a file or folder of the repository."""
    if code.endswith("/"):
        return "//" not in code
    return code.endswith(SUFFIXES) and re.fullmatch(r"[\w.*/<>-]+", code) is not None


def file_exists(page: Path, code: str) -> bool:
    """Whether a file is in the repository, in the package, or next to the page. `*` matches any name."""
    if code in WRITTEN_IN_PODS or "<" in code or code.startswith("/"):
        return True
    bases = (ROOT, ROOT / "operator" / "perennate", page.parent)
    return any(any(base.glob(code.rstrip("/"))) for base in bases)


def schema_paths(schema: dict[str, Any], path: str) -> set[str]:
    """The dotted paths of all fields below a schema; entries of lists and maps go without brackets."""
    found = {path}
    for name, child in schema.get("properties", {}).items():
        found |= schema_paths(child, f"{path}.{name}")
    return found | (schema_paths(schema["items"], path) if "items" in schema else set())


FIELDS = {
    path
    for kind in KINDS
    for part in ("spec", "status")
    for path in schema_paths(resource_schema(kind)["properties"][part], part)
}


def is_field(code: str) -> bool:
    """Whether a dotted path is a field of one of our kinds."""
    return code.replace("[]", "") in FIELDS


@pytest.mark.parametrize("name", PAGES)
def test_relative_links_have_targets(name: str) -> None:
    """The anchors exist too."""
    assert broken_links(PAGES[name]) == []


@pytest.mark.parametrize("name", PAGES)
def test_files_in_inline_code_exist(name: str) -> None:
    named = {code for code in CODE.findall(prose(PAGES[name])) if looks_like_a_file(code)}
    assert [code for code in sorted(named) if not file_exists(PAGES[name], code)] == []


@pytest.mark.parametrize("name", PAGES)
def test_fields_in_inline_code_exist(name: str) -> None:
    """`spec.…` and `status.…` are fields of our kinds."""
    named = {code for code in CODE.findall(prose(PAGES[name])) if re.fullmatch(r"(spec|status)\.[\w.\[\]]+", code)}
    assert [code for code in sorted(named) if not is_field(code)] == []


def test_every_page_is_linked() -> None:
    """The index links every page below docs/, or the index of its folder."""
    index = ROOT / "docs" / "README.md"
    reached = linked_pages(index)
    for folder in [page for page in reached if page.name == "README.md" and index.parent in page.parent.parents]:
        reached |= linked_pages(folder)
    assert [page for page in (ROOT / "docs").glob("**/*.md") if page != index and page not in reached] == []


def test_broken_references_are_detected(tmp_path: Path) -> None:
    """A missing file, a missing anchor, an unknown file and an unknown field."""
    page = tmp_path / "page.md"
    page.write_text("# One heading\n\n[a](gone.md) [b](#one-heading) [c](#another) `spec.nothing` `kube/gone.py`\n")
    assert broken_links(page) == ["gone.md", "#another"]
    assert not file_exists(page, "kube/gone.py")
    assert file_exists(page, "kube/reconcile.py")
    assert not is_field("spec.nothing")
    assert is_field("spec.retrain.trainingJobTemplate.spec.data.captured.window")
