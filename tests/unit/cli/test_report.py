"""The report as JSON, as tables and as an HTML page."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.cli.arguments import parser
from perennate.cli.drift.command import report_of
from perennate.report.document import Cell, DriftReport, schema
from perennate.report.figures import BARS, category_bars, equal_bars
from perennate.report.page import page
from perennate.report.script import SCRIPT
from perennate.report.style import CSS, content_policy
from perennate.report.table import WIDTH, print_table
from perennate.report.words import number, p_value, percent, size
from perennate.text import printable
from tests.support.pods.drift_command import make_scored, make_table, write

HOSTILE = (
    '<script>alert("x")</script>',
    "a&b'\"<img src=x onerror=alert(1)>",
    "]]>--><!--",
    "\x1b[31mred\x00",
    "ü 温度",
)


def make_report(tmp_path: Path, train: pa.Table, week: pa.Table, *arguments: str) -> DriftReport:
    """The report on two tables."""
    paths = write(train, tmp_path / "train.parquet"), write(week, tmp_path / "week.parquet")
    given = ["drift", "--reference", str(paths[0]), "--current", str(paths[1]), *arguments]
    report = report_of(parser().parse_args(given))
    assert report is not None
    return report


def wide(columns: int, *, seed: int, shift: float = 0.0) -> pa.Table:
    """A table of `columns` numeric columns."""
    chance = np.random.default_rng(seed)
    return pa.table({f"column {index}": chance.lognormal(shift, 1, 2000) for index in range(columns)})


@pytest.fixture
def full(tmp_path: Path) -> DriftReport:
    """A report with every section."""
    plans = np.array(["basic", "plus", "new"] * 667)[:2000]
    week = make_scored(seed=2, broken=True)
    week = week.set_column(3, "plan", pa.array(plans)).append_column("more", pa.array(np.zeros(2000)))
    return make_report(tmp_path, make_scored(), week, "--target", "y", "--prediction", "p", "--reference-rows", "1900")


def test_the_report_conforms_to_the_published_schema(full: DriftReport) -> None:
    """The schema is a valid JSON schema, and the document can be read back."""
    jsonschema.Draft202012Validator.check_schema(schema())
    document = json.loads(full.to_json())
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["schema"] == "perennate.dev/drift-report/v1"
    assert all(document[part] for part in ("columns", "faults", "performance", "notes"))
    assert DriftReport.model_validate(document) == full


SETTINGS = {"minSamples": 500, "significance": 0.001, "warning": 0.1, "drifted": 0.2}
CHANGES: list[dict[str, Any]] = [
    {"extra": 1},
    {"outcome": "Fine"},
    {"columns": [{}]},
    {"schema": "other"},
    {"settings": SETTINGS},
    *({"settings": SETTINGS | {"minDriftedFeatures": quorum}} for quorum in (0, 1.5, -1)),
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_schema_refuses_invalid_reports(full: DriftReport, change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(json.loads(full.to_json()) | change)


@pytest.mark.parametrize(("option", "quorum"), [("1", 1), ("2", 2), ("30%", 0.3)])
def test_the_schema_accepts_numbers_and_shares_as_quorum(tmp_path: Path, option: str, quorum: float) -> None:
    report = make_report(tmp_path, make_table(), make_table(), "--min-drifted-features", option)
    document = json.loads(report.to_json())
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["settings"]["minDriftedFeatures"] == quorum
    assert DriftReport.model_validate(document) == report


def test_a_page_shows_the_thresholds_of_a_rule(tmp_path: Path) -> None:
    """A rule has its own warning threshold, half of its drift threshold. The page also shows the quorum."""
    arguments = ["--rule", "age=wasserstein:0.4", "--min-drifted-features", "50%"]
    report = make_report(tmp_path, make_table(seed=1), make_table(seed=2), *arguments)
    found = Page(page(report))
    levels = [text for text in found.text if text.startswith(("warning 0", "drift 0"))]
    expected = {"age": ["warning 0.20", "drift 0.40"]}
    assert levels == [
        level for column in report.columns for level in expected.get(column.name, ["warning 0.10", "drift 0.20"])
    ]
    assert "at least 50 % of the columns drifted" in "".join(found.text)
    assert "0.1 is too small" not in "".join(found.text)


def test_columns_are_sorted_by_severity(tmp_path: Path) -> None:
    """This holds for all three formats."""
    report = make_report(tmp_path, make_table(seed=1), make_table(seed=2, shift=20))
    assert report.columns[0].name == "age"
    out = io.StringIO()
    print_table(report, out)
    places = [text.index(" age ") for text in (out.getvalue(),)] + [page(report).index(">age<")]
    assert all(place < text.index("visits") for place, text in zip(places, (out.getvalue(), page(report)), strict=True))


def test_histograms_contain_every_row(full: DriftReport) -> None:
    """For both files, the bars of a column and its missing values add up to the number of rows."""
    for column in full.columns:
        reference, current = (sum(getattr(cell, side) for cell in column.cells) for side in ("reference", "current"))
        assert column.missing is None or column.missing.current == 0
        assert (reference, current) == (full.reference.rows_used, full.current.rows)


class Page(HTMLParser):
    """The elements and texts of an HTML page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Record a text."""
        self.text.append(data)

    def count(self, tag: str) -> int:
        """The number of elements with this tag."""
        return sum(found == tag for found, _ in self.tags)


def test_a_page_loads_nothing_and_runs_one_script(full: DriftReport) -> None:
    """It has no external link, and no style and script but those with the hashes in the content security policy."""
    text = page(full)
    found = Page(text)
    names = {name for _, attributes in found.tags for name in attributes}
    assert {"link", "img", "iframe", "object", "form"} & {tag for tag, _ in found.tags} == set()
    assert [attributes for tag, attributes in found.tags if tag == "script"] == ([{}] if len(full.columns) >= 8 else [])
    assert not {name for name in names if name.startswith("on")} | (names & {"style", "src", "srcset", "action"})
    assert {a["href"] for tag, a in found.tags if tag == "a"} == {f"#c{place}" for place in range(len(full.columns))}
    assert "http://" not in text
    assert "https://" not in text
    policy = next(a["content"] for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == content_policy()
    assert policy is not None
    digests = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (CSS, SCRIPT)}
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == digests
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert found.count("style") == 1
    assert f"<style>{CSS}</style>" in text


def test_names_from_files_are_escaped(tmp_path: Path) -> None:
    """Columns, categories and files may have any name."""
    chance = np.random.default_rng(1)
    columns: dict[str, Any] = {name: chance.normal(size=2000) for name in HOSTILE}
    columns["kind"] = chance.choice(HOSTILE, 2000)
    report = make_report(tmp_path, pa.table(columns), pa.table(columns))
    found = Page(page(report))
    assert found.count("script") == found.count("img") == 0
    assert found.count("article") == len(columns)
    for name in HOSTILE:
        assert printable(name) in found.text
    assert "\x1b" not in page(report)
    out = io.StringIO()
    print_table(report, out)
    assert not {"\x1b", "\x00"} & set(out.getvalue())


def test_a_page_is_accessible(full: DriftReport) -> None:
    """Images have a name and a description or are hidden from screen readers; table headings have a scope."""
    found = Page(page(full))
    assert found.tags[0] == ("html", {"lang": "en"})
    drawn = [attributes for tag, attributes in found.tags if tag == "svg" and attributes.get("aria-hidden") != "true"]
    assert full.target is not None
    assert len(drawn) == len(full.columns) + 1
    assert all(attributes["role"] == "img" and attributes["aria-labelledby"] for attributes in drawn)
    identifiers = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert {name for attributes in drawn for name in str(attributes["aria-labelledby"]).split()} <= set(identifiers)
    assert all(attributes.get("scope") in {"col", "row"} for tag, attributes in found.tags if tag == "th")


def test_a_page_of_fifty_columns_takes_less_than_1_mb(tmp_path: Path) -> None:
    text = page(make_report(tmp_path, wide(50, seed=1), wide(50, seed=2, shift=1)))
    assert Page(text).count("article") == 50
    assert len(text.encode()) < 1_000_000


def test_a_page_contains_all_results_in_words(full: DriftReport) -> None:
    """Outcome, verdicts, thresholds, faults and performance."""
    text = "".join(Page(page(full)).text)
    parts = [full.words, *full.notes, *(column.words for column in full.columns), *(f.words for f in full.faults)]
    assert [part for part in parts if part not in text] == []
    assert "drift 0.20" in text
    assert "lost (tolerated 0.05)" in text


def cards_of(report: DriftReport) -> dict[str, Page]:
    """The card of each column, by column name."""
    pieces = page(report).split("<article ")[1:]
    cards = [Page(f"<article {piece.partition('</article>')[0]}") for piece in pieces]
    titled = dict(zip((card.text[0] for card in cards), cards, strict=True))
    assert set(titled) == {column.name for column in (*report.columns, report.target) if column is not None}
    return titled


def test_a_card_shows_missing_unseen_and_out_of_range_rows(tmp_path: Path) -> None:
    """The card shows shares for both files; a category has no range."""
    train = make_table().set_column(0, "age", pa.array([None] * 40 + list(range(1960))))
    ages = [None] * 200 + [-1] * 300 + [5000] * 100 + list(range(1400))
    plans = ["new"] * 600 + ["basic"] * 1400
    week = make_table(seed=2).set_column(0, "age", pa.array(ages)).set_column(3, "plan", pa.array(plans))
    cards = cards_of(make_report(tmp_path, train, week))

    assert cards["age"].text[-35:-24] == [
        *("reference", "current"),
        *("missing", "2.0 %", "10 %"),
        *("unseen", "0 %", "0 %"),
        *("out of range", "0 %", "20 %"),
    ]
    assert cards["plan"].text[-8:] == [
        *("reference", "current"),
        *("missing", "0 %", "0 %"),
        *("unseen", "0 %", "30 %"),
    ]


def test_the_score_has_a_card(full: DriftReport) -> None:
    """It shows the histogram and the decision threshold; rows without a score are not counted."""
    score = next(column for column in full.columns if column.name == "score")
    card = cards_of(full)["score"]
    assert score.words in card.text
    assert "Histogram of score" in card.text
    assert f"decision {number(score.mark or 0.0)}" in card.text
    assert "missing" not in card.text


def test_a_table_without_a_terminal_is_plain_and_complete(full: DriftReport) -> None:
    out = io.StringIO()
    print_table(full, out)
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert max(len(line) for line in lines if line.startswith(" ")) <= WIDTH
    assert lines[0] == full.words
    assert sum(any(line.strip().startswith(f"{column.name} ") for line in lines) for column in full.columns) == len(
        full.columns
    )


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(22, 60))
def test_bars_of_equal_width_contain_all_rows(seed: int, bins: int) -> None:
    """For bins of any width, the bars add up to all rows of both files."""
    chance = np.random.default_rng(seed)
    counts = chance.poisson(chance.choice([0.2, 3, 1000]), (bins, 2)) + (np.arange(bins) == 0)[:, None]
    ends = np.cumsum(np.concatenate(([chance.normal(0, 100)], chance.lognormal(0, 3, bins)))).tolist()
    pairs = zip(ends, ends[1:], counts.tolist(), strict=False)
    cells = [Cell(label="", lower=low, upper=high, reference=r, current=c) for low, high, (r, c) in pairs]
    cells.append(Cell(label="", lower=ends[-1], reference=0, current=3))
    totals = sum(cell.reference for cell in cells), sum(cell.current for cell in cells)
    bars = equal_bars(tuple(cells), *totals)
    assert len(bars) == BARS + 2
    assert sum(bar.reference for bar in bars) == pytest.approx(1)
    assert sum(bar.current for bar in bars) == pytest.approx(1)


def test_times_of_day_are_formatted(tmp_path: Path) -> None:
    """They are stored as seconds since midnight."""
    when = np.datetime64("2025-01-01T08:00:00", "us") + np.random.default_rng(1).integers(0, 28_800, 2000) * 1_000_000
    report = make_report(tmp_path, pa.table({"when": when}), pa.table({"when": when}))
    assert re.search(r">08:\d\d<.*>15:\d\d<", page(report), re.DOTALL)


def test_rare_categories_share_a_bar() -> None:
    """Frequent categories of either file have a bar each; the rest and unknown categories follow."""
    cells = [Cell(label=str(place), reference=100 - place, current=1) for place in range(30)]
    cells[29] = Cell(label="29", reference=0, current=500)
    bars = category_bars((*cells, Cell(label="any other", reference=0, current=7)), 2565, 536)
    assert [bar.label for bar in bars] == [*(str(place) for place in range(9)), "29", "20 more", "any other"]
    assert sum(bar.current for bar in bars) == pytest.approx(1)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (percent(0), "0 %"),
        (percent(0.0004), "< 0.1 %"),
        (percent(0.0123), "1.2 %"),
        (percent(0.312), "31 %"),
        (p_value(0), "p < 1e-12"),
        (p_value(0.00042), "p = 0.0004"),
        (p_value(0.5), "p = 0.50"),
        (number(0.2), "0.20"),
        (number(12345.6), "12,346"),
        (number(1.5e9), "1.5e+09"),
        (size(0.31), "0.31"),
        (size(-0.0001), "0.000"),
        (size(0.013), "0.013"),
    ],
)
def test_numbers_have_few_significant_digits(found: str, expected: str) -> None:
    assert found == expected
