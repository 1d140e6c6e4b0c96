"""The words of csv files that mean a missing value. This module imports no library."""

from __future__ import annotations

from typing import Final

MISSING_WORDS: Final = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""The default of pandas.read_csv, quoted or not.

"NA" can also be a real value, such as the country code of Namibia. It stays in the list, because users expect the
result of pandas.
"""
