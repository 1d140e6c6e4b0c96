"""The type of a csv column whose parts have different types."""

from __future__ import annotations

import io
import itertools

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest

from perennate.tabular.dialect import CsvOptions
from perennate.tabular.inference import wider

EXAMPLES = {
    "nothing": "NA",
    "an integer": "1",
    "a fraction": "1.5",
    "a boolean": "true",
    "a date": "2025-01-01",
    "a time": "2025-01-01 03:00:00",
    "a time with a fraction": "2025-01-01 03:00:00.5",
    "a time with a zone": "2025-01-01T03:00:00Z",
    "a time with a zone and a fraction": "2025-01-01T03:00:00.5Z",
    "a time of day": "03:00",
    "a text": "x",
}
"""Values whose types pyarrow tells apart."""


def inferred(*values: str) -> pa.DataType:
    """The type that pyarrow infers for a whole column."""
    content = "\n".join(("a,b", *(f"{value},1" for value in values)))
    return (
        arrow_csv.read_csv(io.BytesIO(content.encode()), convert_options=CsvOptions().conversion())
        .schema.field("a")
        .type
    )


@pytest.mark.parametrize(("one", "other"), list(itertools.product(EXAMPLES, repeat=2)))
def test_parts_of_a_column_give_the_type_that_pyarrow_infers_for_the_whole(one: str, other: str) -> None:
    first, second = EXAMPLES[one], EXAMPLES[other]
    assert wider(inferred(first), inferred(second)) == inferred(first, second)
