"""Text that no file may contain, and the content of configuration files."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.tree import ROOT, files, label
from tools import generate

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTS = {
    "127.0.0.1",
    "169.254.169.254",  # the metadata address that a scrape must refuse
    "github.com",
    "json-schema.org",
    "kind.sigs.k8s.io",
    "kubernetes.default.svc",
    "perennate.dev",
    "www.apache.org",
    "www.w3.org",
}
"""Hosts that an address in this repository may name. Names without a dot or under `.svc` are inside a cluster.

Names under `example` and `example.com` are reserved for documentation.
"""
ADDRESS = re.compile(r"\bhttps?://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
IMAGE = re.compile(r"\b(?:image|FROM|repository)[: ]+\"?(?!(?:registry\.)?example\.com/)([a-z0-9-]+(?:\.[a-z0-9-]+)+)/")
INSIDE = re.compile(r"\.(?:svc|svc\.cluster\.local|example|example\.com|invalid)$")
MACHINE = re.compile(r"(?<![\w.-])/(?:work|root|home/\w+|opt/wheels)/")
FRAGMENT = re.compile(r"[a-z0-9-]+\.(feature|fix|deprecation|breaking|doc)\.md")


FOREIGN = {"LICENSE"}
"""Third-party texts, which are not checked."""


def lines() -> Iterator[tuple[str, str]]:
    """Every line of every text file, with its position as `file:number`."""
    for path in files():
        content = path.read_bytes()
        if b"\0" not in content and path.name not in FOREIGN:
            for number, line in enumerate(content.decode().splitlines(), start=1):
                yield f"{label(path)}:{number}", line


def has_local_address(line: str) -> bool:
    """Whether a line holds a path of a machine, or the address of a package index or an image registry."""
    named = {host for host in ADDRESS.findall(line) if not INSIDE.search(host)}
    return bool(MACHINE.search(line) or named - HOSTS or IMAGE.search(line))


def test_no_file_contains_a_local_path_or_registry_address() -> None:
    """A clone must work on any machine."""
    assert [f"{where}: {line.strip()}" for where, line in lines() if has_local_address(line)] == []


@pytest.mark.parametrize(
    "parts", [("FROM registry", ".test/a/b"), ("cd /wo", "rk/main"), ("index = https://index", ".test/simple")]
)
def test_local_paths_and_registry_addresses_are_detected(parts: tuple[str, str]) -> None:
    assert has_local_address("".join(parts))


def test_no_line_has_trailing_whitespace() -> None:
    """As `git diff --check`, for committed files."""
    blank = [where for where, line in lines() if line != line.rstrip()]
    assert [where for where in blank if not where.split(":")[0].endswith((".md", ".svg"))] == []


def test_yaml_files_are_valid_and_not_empty() -> None:
    """Chart templates have their own test."""
    found = [path for path in files(".yaml", ".yml") if "templates" not in path.parts]
    empty = [label(path) for path in found if not any(yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader))]
    assert found
    assert empty == []


def test_the_pre_commit_configuration_is_valid() -> None:
    """Every hook uses the locked environment."""
    config = ROOT / ".pre-commit-config.yaml"
    check = [sys.executable, "-m", "pre_commit", "validate-config", str(config)]
    assert subprocess.run(check, cwd=ROOT, check=False).returncode == 0
    repositories = yaml.safe_load(config.read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]


def test_the_hook_for_generated_files_matches_all_their_sources() -> None:
    """Generated files, the files that they include, and the code that generates them."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    pattern = next(hook["files"] for hook in hooks if hook["id"] == "generated")
    pages = generate.outputs(ROOT)
    included = {name for text in pages.values() for name in re.findall(r"<!-- include (\S+) -->", text)}
    sources = {label(path) for path in files() if label(path).startswith(("operator/", "tools/"))}
    assert included
    assert sources
    assert [path for path in sorted({*pages, *included, *sources}) if re.search(pattern, path) is None] == []


def test_every_pattern_of_codeowners_matches_a_file() -> None:
    patterns = [line.split()[0] for line in (ROOT / "CODEOWNERS").read_text().splitlines() if line.startswith("/")]
    assert patterns
    assert [pattern for pattern in patterns if not (ROOT / pattern.strip("/")).exists()] == []


def test_news_fragments_are_named_by_their_kind() -> None:
    """Release notes leave out a fragment with another name."""
    names = [path.name for path in files() if path.parent == ROOT / "changelog.d" and path.name != "README.md"]
    assert names
    assert [name for name in names if not FRAGMENT.fullmatch(name)] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md"])
def test_paths_in_the_maps_exist(page: str) -> None:
    named = re.findall(r"`([\w./-]+/[\w./-]*)`", (ROOT / page).read_text())
    places = [ROOT, ROOT / "operator" / "perennate"]
    assert named
    assert [name for name in named if not any((place / name).exists() for place in places)] == []
