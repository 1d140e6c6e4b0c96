"""The words of csv files that mean a missing value, for training and for `perennate drift`. It imports no library."""

from __future__ import annotations

from typing import Final

MISSING_WORDS: Final = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""What pandas.read_csv takes for missing by default, quoted or not.

"NA" may also be a real value, such as the country code of Namibia. It stays in the list, because users expect of a
file what pandas reads.
"""
