"""Durations as in the Gateway API, with an optional minimum."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

from perennate.api.meta import validation

DURATION_PATTERN: Final = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"
_PART: Final = re.compile(r"([0-9]+)(ms|h|m|s)")
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

Duration = Annotated[str, StringConstraints(pattern=DURATION_PATTERN, max_length=24)]
"""Duration: `90s`, `5m`, `1h30m`. Zero is valid unless an `AtLeast` is given."""


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `1h30m`.

    Raises:
        ValueError: the text is not a duration.
    """
    if not re.fullmatch(DURATION_PATTERN, text):
        raise ValueError(
            f"{text!r} is not a duration; use hours, minutes, seconds or milliseconds such as 1h30m, 90s, 250ms"
        )
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


@dataclass(frozen=True)
class AtLeast:
    """Minimum of a duration: `Annotated[Duration, AtLeast("1s")]`.

    The API server checks it with a CEL rule, the operator when it reads the object.
    """

    minimum: str

    @property
    def message(self) -> str:
        """The rule, for error messages."""
        return f"must be a duration of at least {self.minimum}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        rule = validation(f"duration(self) >= duration('{self.minimum}')", self.message)
        return {**handler(schema), "x-kubernetes-validations": [rule]}

    def _check(self, text: str) -> str:
        if parse_duration(text) < parse_duration(self.minimum):
            raise ValueError(f"{self.message}, got {text}")
        return text
