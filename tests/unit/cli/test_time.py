"""Rows in the order of time: neighbours that resemble each other count as fewer rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from perennate.cli.drift.exits import Exit
from perennate.cli.main import main
from tests.support.pods.drift_command import make_table, write

ROWS = 1000
HOURS = np.datetime64("2025-01-01", "s") + np.arange(ROWS) * 3600


def series(seed: int, rows: int = ROWS, memory: float = 0.97) -> np.ndarray:
    """A stationary series: each value is the last one times `memory`, plus noise."""
    chance = np.random.default_rng(seed)
    noise, values = chance.normal(size=rows) * (1 - memory**2) ** 0.5, np.empty(rows)
    values[0] = chance.normal()
    for index in range(1, rows):
        values[index] = memory * values[index - 1] + noise[index]
    return values


def weather(seed: int, *, shift: float = 0.0) -> pa.Table:
    """Rows of an hour each."""
    return pa.table({"t": HOURS, "wind": series(seed) + shift, "rain": series(seed + 500)})


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many years of the same weather."""
    rows = 20_000
    table = pa.table({"wind": series(1, rows), "rain": series(2, rows)})
    return write(table, tmp_path_factory.mktemp("time") / "train.parquet")


def run(
    train: Path, weeks: list[Path], capsys: pytest.CaptureFixture[str], *given: str, time: str | None = "t"
) -> tuple[int, Any]:
    """The exit code, and the report or the error."""
    arguments = ["--reference", str(train), "--current", *map(str, weeks), *(["--time", time] if time else []), *given]
    code = main(["drift", *arguments, "-o", "json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out) if captured.out else captured.err


def test_held_values_without_a_change_raise_no_alarm(
    tmp_path: Path, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sensor that is read once a day, in hourly rows: a thousand rows carry the information of fifty."""
    alarms = {None: 0, "t": 0}
    for seed in range(6):
        chance = np.random.default_rng(seed)
        held = {name: np.repeat(chance.normal(size=ROWS // 20), 20) for name in ("wind", "rain")}
        week = write(pa.table({"t": HOURS, **held}), tmp_path / "week.parquet")
        for time in alarms:
            code, report = run(train, [week], capsys, time=time)
            alarms[time] += code == Exit.DRIFT
            effects = [column["designEffect"] for column in report["columns"]]
            assert effects == pytest.approx([20, 20], rel=0.4) if time else effects == [1, 1]
    assert alarms[None] >= 3
    assert alarms["t"] == 0


def test_a_series_without_a_change_raises_few_alarms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reference is a series too, so both sides carry the information of fewer rows."""
    memory, alarms = 0.985, {None: 0, "t": 0}
    columns = {"wind": series(1, 20_000, memory), "rain": series(2, 20_000, memory)}
    train = write(pa.table(columns), tmp_path / "train.parquet")
    for seed in range(10, 18):
        columns = {"wind": series(seed, memory=memory), "rain": series(seed + 500, memory=memory)}
        week = write(pa.table({"t": HOURS, **columns}), tmp_path / "week.parquet")
        for time in alarms:
            alarms[time] += run(train, [week], capsys, time=time)[0] != Exit.QUIET
    assert alarms[None] >= 4
    assert alarms["t"] <= 1


def test_a_real_change_is_still_found(tmp_path: Path, train: Path, capsys: pytest.CaptureFixture[str]) -> None:
    week = write(weather(10, shift=4), tmp_path / "week.parquet")
    code, report = run(train, [week], capsys)
    assert code in {Exit.DRIFT, Exit.FAULT}
    effects = {column["name"]: column["designEffect"] for column in report["columns"]}
    assert effects["wind"] > 3
    assert report["notes"] == []


def test_independent_rows_keep_their_power(tmp_path: Path, train: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their design effect is 1, so the verdicts are the same with and without a time."""
    chance = np.random.default_rng(3)
    table = pa.table({"t": HOURS, "wind": chance.normal(0.5, 1, ROWS), "rain": chance.normal(size=ROWS)})
    week = write(table, tmp_path / "week.parquet")
    found = [run(train, [week], capsys, time=time) for time in ("t", None)]
    assert found[0][0] == found[1][0] == Exit.DRIFT
    assert found[0][1]["columns"] == found[1][1]["columns"]


TIMES: dict[str, tuple[str, Any]] = {
    "dates and times": ("parquet", HOURS),
    "days": ("parquet", HOURS.astype("datetime64[D]")),
    "numbers": ("parquet", np.arange(ROWS)),
    "fractions": ("feather", np.arange(ROWS) / 7),
    "text": ("parquet", [str(hour) for hour in HOURS]),
    "text in csv": ("csv", [str(hour) for hour in HOURS]),
    "time zones": ("csv", [f"{hour}+01:00" for hour in HOURS]),
}


@pytest.mark.parametrize("name", TIMES)
def test_every_kind_of_time_gives_the_same_report(
    tmp_path: Path, train: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The order of the rows in the file and the number of files do not matter."""
    form, times = TIMES[name]
    table = weather(10).set_column(0, "t", pa.array(times))
    expected = run(train, [write(weather(10), tmp_path / "whole.parquet")], capsys)[1]["columns"]
    mixed = table.take(pa.array(np.random.default_rng(1).permutation(ROWS)))
    parts = [
        write(mixed.slice(0, 400), tmp_path / f"a.{form}"),
        write(mixed.slice(0, 0), tmp_path / "empty.parquet"),
        write(mixed.slice(400), tmp_path / f"b.{form}"),
    ]
    code, report = run(train, parts, capsys)
    assert code in {Exit.QUIET, Exit.DRIFT}
    if name != "days":
        assert {column["name"]: column["designEffect"] for column in report["columns"]} == pytest.approx(
            {column["name"]: column["designEffect"] for column in expected}
        )
    assert max(column["designEffect"] for column in report["columns"]) > 3


REFUSED: dict[str, tuple[Any, str]] = {
    "a missing time": (
        [None, *np.arange(ROWS - 1).tolist()],
        "column 't' must hold a date in ISO 8601 or a number in every row, for --time",
    ),
    "words": (["now"] * ROWS, "column 't' must hold a date in ISO 8601 or a number in every row, for --time"),
    "infinity": (np.full(ROWS, np.inf), "column 't' must hold a date in ISO 8601 or a number in every row, for --time"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rows_without_a_time_are_refused(
    tmp_path: Path, train: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They would belong to no part."""
    times, words = REFUSED[name]
    week = write(weather(10).set_column(0, "t", pa.array(times)), tmp_path / "week.parquet")
    assert run(train, [week], capsys) == (Exit.USAGE, f"perennate: {week}: {words}\n")


def test_the_options_of_the_time_are_checked(tmp_path: Path, train: Path, capsys: pytest.CaptureFixture[str]) -> None:
    week = write(weather(10), tmp_path / "week.parquet")
    code, error = run(train, [week], capsys, time="T")
    assert (code, error) == (
        Exit.USAGE,
        f"perennate: {week}: lacks the column 'T' (did you mean 't'?) that --time names\n",
    )
    code, error = run(train, [week], capsys, "--numeric", "t")
    assert (code, error) == (Exit.USAGE, "perennate: column 't' is named by both --numeric and --time\n")
    assert main(["drift", "--profile", str(week), "--counts", str(week), "--time", "t"]) == Exit.USAGE
    assert "--time names columns of files" in capsys.readouterr().err


def test_the_time_of_the_reference_is_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """This holds for a saved profile too."""
    train = write(make_table(ROWS, t=HOURS), tmp_path / "train.parquet")
    week = write(make_table(ROWS, seed=2, t=HOURS + 10**8), tmp_path / "week.parquet")
    code, report = run(train, [week], capsys)
    assert (code, [column["name"] for column in report["columns"]].count("t")) == (Exit.QUIET, 0)
    profile = tmp_path / "profile.json"
    assert main(["drift", "--reference", str(train), "--time", "t", "--save-profile", str(profile)]) == Exit.QUIET
    code = main(["drift", "--profile", str(profile), "--current", str(week), "--time", "t", "-o", "json"])
    assert (code, json.loads(capsys.readouterr().out)["columns"]) == (Exit.QUIET, report["columns"])
