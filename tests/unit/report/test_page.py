"""The page: order, search, axes, statistics, unseen values and dates."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.cli.arguments import parser
from perennate.cli.drift.command import report_of
from perennate.cli.drift.exits import Exit
from perennate.cli.main import main, report_time
from perennate.drift import Profile, Recorder
from perennate.report.axes import ticks
from perennate.report.document import DriftReport
from perennate.report.page import MANY_COLUMNS, page
from perennate.report.table import print_table
from perennate.tabular.errors import UsageError
from tests.support.pods.drift_command import make_scored, make_table, write

ROWS = 2000


def make_report(
    tmp_path: Path, train: pa.Table, *weeks: pa.Table, form: str = "parquet", given: Any = ()
) -> DriftReport:
    """The report on some tables."""
    reference = write(train, tmp_path / f"train.{form}")
    current = [write(week, tmp_path / f"week{index}.{form}") for index, week in enumerate(weeks)]
    arguments = ["drift", "--reference", str(reference), "--current", *map(str, current), *given]
    report = report_of(parser().parse_args(arguments))
    assert report is not None
    return report


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    """The table with another column."""
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values))


def test_faulty_columns_come_first(tmp_path: Path) -> None:
    """The largest fault is first, though another column drifted more. The list of faults links to the cards."""
    week = with_column(make_table(seed=2, shift=30), "plan", [None] * 900 + ["basic"] * 1100)
    week = with_column(week, "visits", [None] * 1500 + week["visits"].to_pylist()[1500:])
    report = make_report(tmp_path, make_table(), week)
    text = page(report)
    assert report.columns[0].name == "age"
    assert [fault.column for fault in report.faults][:2] == ["visits", "plan"]
    table = text[text.index('id="columns"') : text.index("</table>")]
    assert re.findall(r'<th scope="row"><a href="#c\d+">([^<]*)</a>', table)[:3] == ["visits", "plan", "age"]
    assert re.findall(r"<h3>([^<]*)</h3>", text)[:3] == ["visits", "plan", "age"]
    places = {column.name: place for place, column in enumerate(report.columns)}
    assert f'<li><a href="#c{places["visits"]}">visits: 75 % missing' in text


@pytest.mark.parametrize("columns", [MANY_COLUMNS - 1, MANY_COLUMNS])
def test_many_columns_have_a_search_box(tmp_path: Path, columns: int) -> None:
    """It is hidden until the script runs, so that a viewer without scripts shows no dead box."""
    table = pa.table({f"c{index}": np.random.default_rng(index).normal(size=ROWS) for index in range(columns)})
    text = page(make_report(tmp_path, table, table))
    assert ("<script>" in text) == ('<p class="search" hidden>' in text.replace('hidden="hidden"', "hidden"))
    assert ("<script>" in text) == (columns >= MANY_COLUMNS)


def test_a_page_of_2000_columns_is_below_10_mb(tmp_path: Path) -> None:
    """Half of them drifted."""
    chance = np.random.default_rng(1)
    before, now = (
        {f"column {index}": chance.lognormal(shift * (index % 2), 1, 1000) for index in range(200)} for shift in (0, 1)
    )
    text = page(make_report(tmp_path, pa.table(before), pa.table(now)))
    assert text.count("<article") == 200
    assert len(text.encode()) < 1_200_000, "ten times as many columns have ten times the size, without more tooltips"


@settings(deadline=None)
@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(2, 8))
def test_ticks_are_round_numbers_in_the_range(low: float, width: float, most: int) -> None:
    found = ticks(low, low + width, most)
    assert 1 <= len(found) <= most
    assert all(low - width * 1e-6 <= tick <= low + width * 1.000001 for tick in found)
    if width > abs(low) * 1e-6:
        assert all(
            len(f"{tick:.12g}".replace("-", "").replace(".", "").strip("0").partition("e")[0]) <= 9 for tick in found
        )


def test_ticks_of_an_empty_or_infinite_range() -> None:
    assert ticks(3, 3, 5) == [3]
    assert ticks(0, float("inf"), 5) == [0]
    assert ticks(0, 1, 3) == [0, 0.5, 1]
    assert ticks(17, 83, 5) == [20, 40, 60, 80]


def test_histograms_have_axes(tmp_path: Path) -> None:
    """Numbers have round ticks, single values a label each, and shares are in per cent."""
    chance = np.random.default_rng(1)
    columns = {
        "x": chance.uniform(0, 100, ROWS),
        "n": chance.integers(0, 4, ROWS),
        "k": chance.choice(["a", "b"], ROWS),
    }
    found = page(make_report(tmp_path, pa.table(columns), pa.table(columns)))
    cards = dict(re.findall(r"<h3>(\w)</h3>(.*?)</article>", found, re.DOTALL))
    labels = {name: re.findall(r"<text[^>]*>([^<]*)</text>", card) for name, card in cards.items()}
    assert {"20", "40", "60", "80"} <= set(labels["x"])
    assert {"0", "1", "2", "3"} <= set(labels["n"])
    assert {"0 %", "20 %", "40 %"} <= set(labels["k"])
    assert all("0 %" in texts for texts in labels.values())


NUMBERS: dict[str, tuple[str, list[str]]] = {"parquet": ("parquet", []), "csv": ("csv", []), "a text": ("csv", ["-"])}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("parts", [1, 3])
def test_statistics_are_those_of_the_rows(tmp_path: Path, name: str, parts: int) -> None:
    """This holds for several files, and does not depend on their sizes."""
    form, strays = NUMBERS[name]
    before, now = (np.random.default_rng(seed).lognormal(0, 1, ROWS).round(6) for seed in (1, 2))
    tables = [
        pa.table({"x": pa.array([*map(str, part.tolist()), *strays] if strays else part)})
        for part in (before, *np.split(now, [100, 900][: parts - 1]))
    ]
    report = make_report(tmp_path, *tables, form=form)
    summary = report.columns[0].summary
    assert summary is not None
    for found, values in ((summary.reference, before), (summary.current, now)):
        assert found is not None
        assert (found.minimum, found.maximum) == (values.min(), values.max())
        assert found.mean == pytest.approx(values.mean(), rel=1e-9)
        quantiles = found.quantile05, found.quantile25, found.median, found.quantile75, found.quantile95
        expected = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), method="inverted_cdf")
        np.testing.assert_allclose(np.array(quantiles, dtype=float), expected, rtol=0.01)
    assert f"<td>{summary.current.median:.4g}</td>" in page(report)  # type: ignore[union-attr]


def test_quantiles_of_many_rows_are_those_of_a_sample(tmp_path: Path) -> None:
    """The sample is uniform over all files, however different their sizes are, and the same in every run."""
    now = np.sort(np.random.default_rng(2).random(60_000))
    weeks = [pa.table({"x": part}) for part in np.split(now, [500, 50_000])]
    reports = [make_report(tmp_path, pa.table({"x": now[::7]}), *weeks) for _ in range(2)]
    assert reports[0] == reports[1]
    summary = reports[0].columns[0].summary
    assert summary is not None
    assert summary.current is not None
    assert summary.current.median == pytest.approx(0.5, abs=0.02)
    assert summary.current.quantile95 == pytest.approx(0.95, abs=0.02)
    assert (summary.current.minimum, summary.current.maximum) == (now[0], now[-1])


def test_infinite_and_huge_numbers_have_statistics(tmp_path: Path) -> None:
    """The JSON document holds no infinity."""
    values = np.r_[np.full(1000, 1e308), np.full(1000, -1e308), np.inf, np.nan]
    report = make_report(tmp_path, pa.table({"x": values}), pa.table({"x": values}))
    summary = report.columns[0].summary
    assert summary is not None
    assert summary.current is not None
    assert (summary.current.minimum, summary.current.maximum) == (-1e308, 1e308)
    assert "nfinity" not in report.to_json()


WHEN = np.datetime64("2025-01-01T08:00:00", "us") + np.arange(ROWS) * 60_000_000
BORN = np.datetime64("1950-01-01", "us") + np.random.default_rng(1).integers(0, 9000, ROWS) * 86_400_000_000


@pytest.mark.parametrize(
    ("values", "low", "words"), [(WHEN, "00:00", "the time of day"), (BORN, "1950-01-", "the dates")]
)
def test_dates_have_statistics_in_their_own_words(tmp_path: Path, values: Any, low: str, words: str) -> None:
    """The card says what of a date is compared."""
    text = page(make_report(tmp_path, pa.table({"when": values}), pa.table({"when": values})))
    minimum = re.search(r">minimum</th><td>([^<]*)</td><td>([^<]*)</td>", text)
    assert minimum is not None
    assert minimum[1] == minimum[2]
    assert minimum[1].startswith(low)
    assert f"Compared: {words}" in text


def test_the_change_of_the_target_is_shown(tmp_path: Path) -> None:
    """On the terminal and on the page."""
    before, now = (make_table(y=pa.array(["no"] * (ROWS - share) + ["yes"] * share)) for share in (200, 1200))
    report = make_report(tmp_path, before, now, given=["--target", "y"])
    assert report.target is not None
    assert report.target.verdict == "Drifted"
    text = page(report)
    assert text.index("<h2>The target</h2>") < text.index("<h3>target</h3>")
    out = io.StringIO()
    print_table(report, out)
    assert f"\nTarget: {report.target.words}" in out.getvalue()


UNSEEN: dict[str, tuple[str, str, list[Any], list[tuple[str, int]]]] = {
    "categories": (
        "parquet",
        "plan",
        ["gold"] * 300 + ["<b>"] * 100 + ["basic"] * 1600,
        [("gold", 300), ("<b>", 100)],
    ),
    "text among numbers": ("csv", "age", ["old"] * 500 + ["1"] * 1500, [("old", 500)]),
    "numbers as text": ("parquet", "age", ["1", "2"] * 1000, [("1", 1000), ("2", 1000)]),
    "at most five": (
        "csv",
        "plan",
        [f"p{row % 40}" for row in range(ROWS)],
        [(f"p{index}", 50) for index in (0, 1, 10, 11, 12)],
    ),
    "a long text": ("csv", "plan", ["x" * 10_000] * ROWS, [("x" * 60 + "...", ROWS)]),
    "only seen values": ("csv", "plan", ["basic"] * ROWS, []),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_frequent_unseen_values_are_named(tmp_path: Path, name: str) -> None:
    """They are escaped, shortened and few."""
    form, column, values, expected = UNSEEN[name]
    report = make_report(tmp_path, make_table(), with_column(make_table(seed=2), column, values), form=form)
    found = next(item for item in report.columns if item.name == column)
    assert [(item.value, item.rows) for item in found.unseen_values or ()] == expected
    text = page(report)
    assert ("Most frequent values that the reference does not list" in text) is bool(expected)
    assert "'<b>'" not in text


def test_values_are_never_named_from_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pod stores no values of traffic; of its numbers, the mean is known."""
    profile, train = tmp_path / "profile.json", write(make_table(), tmp_path / "train.parquet")
    assert main(["drift", "--reference", str(train), "--save-profile", str(profile)]) == Exit.QUIET
    recorder = Recorder(Profile.from_bytes(profile.read_bytes()), model="m", version="v", start=1.0)
    week = make_table(seed=2, shift=8)
    recorder.record({name: week[name].to_numpy(zero_copy_only=False) for name in ("age", "visits", "member")})
    recorder.record({"plan": np.array(["secret"] * 500)})
    counts = tmp_path / "counts.json"
    counts.write_text(json.dumps(recorder.document()))
    assert main(["drift", "--profile", str(profile), "--counts", str(counts), "-o", "json"]) == Exit.FAULT
    out = capsys.readouterr().out
    assert "secret" not in out
    columns = {item["name"]: item for item in json.loads(out)["columns"]}
    assert "unseenValues" not in columns["plan"]
    assert set(columns["age"]["summary"]["current"]) == {"mean"}
    assert columns["age"]["summary"]["current"]["mean"] == pytest.approx(np.mean(week["age"].to_numpy()), abs=0.01)


def test_the_interval_says_what_it_is(tmp_path: Path) -> None:
    """Measured: where the true value is. Estimated: where the value would be if the rows had labels."""
    truth = ["--target", "y", "--prediction", "p", "--significance", "0.05"]
    measured = page(make_report(tmp_path, make_scored(), make_scored(seed=2), given=truth))
    assert "95 % confidence interval" in measured
    assert "prediction interval" not in measured
    estimated = page(make_report(tmp_path, make_scored(), make_scored(seed=2).drop_columns(["y"]), given=truth))
    assert "95 % prediction interval" in estimated
    assert "confidence interval" not in estimated


def test_the_date_is_now_by_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = write(make_table(), tmp_path / "train.csv")
    before = report_time({})
    assert main(["drift", "--reference", str(train), "--current", str(train), "-o", "json"]) == Exit.QUIET
    created = json.loads(capsys.readouterr().out)["created"]
    assert before.isoformat().replace("+00:00", "Z") <= created <= report_time({}).isoformat().replace("+00:00", "Z")
    assert before.tzinfo is not None


@pytest.mark.parametrize("value", ["", "soon", "1e99", "9" * 30])
def test_an_invalid_date_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH must be a whole number of seconds since 1970, got"):
        report_time({"SOURCE_DATE_EPOCH": value})
