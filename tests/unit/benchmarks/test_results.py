"""Each benchmark replaces its own section of the results and keeps the others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.drift import report as drift
from benchmarks.results import replace_section, write_section
from benchmarks.serving import report as serving
from benchmarks.serving.bounds import METRICS, Finding
from tests.support.tree import ROOT

DOCUMENT = "# Results\n\nText.\n\n## Serving\n\nold\n\n### Detail\n\nmore\n\n## Drift\n\nold\n"
LOADS = (0.0, 0.0)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("## Serving\n\nnew\n", "# Results\n\nText.\n\n## Serving\n\nnew\n\n## Drift\n\nold\n"),
        ("## Drift\n\nnew\n", "# Results\n\nText.\n\n## Serving\n\nold\n\n### Detail\n\nmore\n\n## Drift\n\nnew\n"),
        ("## Drift of more\n\nnew\n", f"{DOCUMENT}\n## Drift of more\n\nnew\n"),
    ],
    ids=["first", "last", "unknown"],
)
def test_only_the_section_with_the_same_heading_is_replaced(section: str, expected: str) -> None:
    """Other text is unchanged, a new section is appended, and a second write changes nothing."""
    assert replace_section(DOCUMENT, section) == expected
    assert replace_section(expected, section) == expected


def test_a_section_needs_a_heading() -> None:
    with pytest.raises(ValueError, match="heading of level 2"):
        replace_section(DOCUMENT, "### Detail\n")


def test_a_missing_document_is_created(tmp_path: Path) -> None:
    write_section(tmp_path / "RESULTS.md", "## Drift\n\nnew\n")
    assert (tmp_path / "RESULTS.md").read_text() == "# Results\n\n## Drift\n\nnew\n"


def test_each_benchmark_keeps_the_sections_of_the_others() -> None:
    """In the committed results, each benchmark replaces its own section only."""
    document = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    before = _parts(document)
    assert list(before) == ["# Results", "## Serving", "## Drift", "## Scraping"]
    new = serving.section([Finding(METRICS[0], [1.0], [2.0])], slices=1, measured="", loads=LOADS)
    assert _parts(replace_section(document, new)) == {**before, "## Serving": new.strip()}
    new = drift.section([], loads=LOADS)
    assert _parts(replace_section(document, new)) == {**before, "## Drift": new.strip()}


def _parts(document: str) -> dict[str, str]:
    """The text before the sections, and the sections, by heading."""
    parts = re.split(r"^(?=## )", document, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.strip() for part in parts}
