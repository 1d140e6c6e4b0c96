"""The drift report as a JSON document; the table and the page are rendered from it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from perennate.api.feature_types import FeatureKind

SCHEMA: Final = "perennate.dev/drift-report/v1"

ReportOutcome = Literal["Quiet", "Drift", "DataFault", "Unknown"]
VerdictName = Literal["None", "Changed", "Warning", "Drifted", "Unknown"]


class Part(BaseModel):
    """Base of all parts: immutable, camelCase in JSON, without NaN and infinity."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )


class Source(Part):
    """The source of rows."""

    names: tuple[str, ...] = Field(description="Files.")
    rows: int = Field(ge=0, description="Rows in the files.")
    rows_used: int = Field(ge=0, description="Rows that were counted; fewer than `rows` if they were sampled.")


class ReportSettings(Part):
    """The settings of the evaluation."""

    min_samples: int = Field(ge=1, description="Rows that a verdict needs.")
    significance: float = Field(gt=0, lt=1, description="Probability of a false alarm in the whole report.")
    warning: float = Field(gt=0, description="Effect from which a significant change is a warning.")
    drifted: float = Field(gt=0, description="Effect from which a significant change is drift.")
    min_drifted_features: Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)] = Field(
        description="Columns that must drift: a whole number, or a share below 1 of the columns with enough rows."
    )


class Shares(Part):
    """A share of the reference rows and of the current rows."""

    reference: float = Field(ge=0, le=1, description="Of the reference rows.")
    current: float = Field(ge=0, le=1, description="Of the current rows.")


class Cell(Part):
    """Rows in one bin or category."""

    label: str = Field(description="Label of the bin or category.")
    lower: float | None = Field(
        default=None, description="Lower end of a bin of numbers, exclusive; absent for the lowest bin."
    )
    upper: float | None = Field(
        default=None, description="Upper end of a bin of numbers, inclusive; absent for the highest bin."
    )
    reference: int = Field(ge=0, description="Reference rows.")
    current: int = Field(ge=0, description="Current rows.")


class UnseenValue(Part):
    """A value that the reference does not have, or has no count of."""

    value: str = Field(description="The value as text, truncated.")
    rows: int = Field(ge=1, description="Current rows with it.")


class Summary(Part):
    """Statistics of the finite numbers of a column."""

    mean: float | None = Field(default=None, description="Mean.")
    minimum: float | None = Field(default=None, description="Smallest value.")
    quantile05: float | None = Field(default=None, description="5 % quantile.")
    quantile25: float | None = Field(default=None, description="25 % quantile.")
    median: float | None = Field(default=None, description="Median.")
    quantile75: float | None = Field(default=None, description="75 % quantile.")
    quantile95: float | None = Field(default=None, description="95 % quantile.")
    maximum: float | None = Field(default=None, description="Largest value.")


class Summaries(Part):
    """Statistics of the reference and of the current rows."""

    reference: Summary | None = Field(default=None, description="Of the reference.")
    current: Summary | None = Field(
        default=None,
        description="Of the current rows; quantiles of many rows are those of a sample. Counts documents have only "
        "the mean.",
    )


class ColumnReport(Part):
    """The result of one column, of the score, or of the predicted class."""

    name: str = Field(description="Name of the column; `score` and `prediction` are outputs of the model.")
    kind: Literal[FeatureKind, "score", "prediction"] = Field(description="Kind of the values.")
    compared_as: Literal["date", "timeOfDay"] | None = Field(
        default=None,
        description="What is compared of a date: its value (seconds since 1970), or its time of day (seconds since "
        "midnight UTC) if the column records when something happened, so that all later values are new.",
    )
    subject: str | None = Field(
        default=None,
        description="What the verdict is about, if not the distribution of all values: the rows without a frequent "
        "value, or the share of missing values.",
    )
    verdict: VerdictName = Field(
        description="Drifted and Warning are significant and large, Changed is significant but too small to matter, "
        "None is not significant, Unknown has too few rows."
    )
    words: str = Field(description="The verdict in words.")
    hint: str | None = Field(default=None, description="Description of the change.")
    method: str = Field(description="Method that measures the effect.")
    effect: float = Field(description="Size of the change.")
    threshold: float = Field(description="Effect from which a significant change is drift.")
    warning: float = Field(description="Effect from which a significant change is a warning.")
    p: float = Field(ge=0, le=1, description="p-value before Holm's correction.")
    statistics: dict[str, float] = Field(description="Every applicable effect size by method; `psi` is PSI*.")
    psi: float = Field(description="Population stability index; PSI* is PSI less its expectation without drift.")
    design_effect: float = Field(
        ge=1, description="Design effect: the effective sample size is the number of rows divided by it."
    )
    rows: int = Field(ge=0, description="Current rows with a value.")
    missing: Shares | None = Field(default=None, description="Rows without a value.")
    unseen: Shares | None = Field(
        default=None, description="Rows with a category that has no count of its own, or with an invalid value."
    )
    out_of_range: Shares | None = Field(
        default=None, description="Rows below the smallest or above the largest value of the reference."
    )
    unseen_values: tuple[UnseenValue, ...] | None = Field(
        default=None,
        description="The most frequent unseen values, if there are more unseen rows than in the reference. Only of "
        "files, never of counts documents.",
    )
    summary: Summaries | None = Field(
        default=None, description="Statistics of numbers, and of dates in the unit of `comparedAs`; absent for others."
    )
    cells: tuple[Cell, ...] = Field(description="Histogram: bins in ascending order, or categories.")
    mark: float | None = Field(default=None, description="Decision threshold of the score.")


class FaultReport(Part):
    """A data fault."""

    column: str = Field(description="Name of the column.")
    check: Literal["missing", "other", "out-of-range"] = Field(description="Kind of the fault.")
    words: str = Field(description="The fault in words.")
    shares: Shares = Field(description="Rows with the fault.")
    p: float = Field(ge=0, le=1, description="p-value of the rise before Holm's correction.")


class MetricReport(Part):
    """A performance metric of the current rows."""

    metric: str = Field(description="Name of the metric.")
    estimated: bool = Field(description="Whether it is estimated from the scores without labels.")
    value: float = Field(description="Value of the metric.")
    lower: float = Field(
        description="Lower end of the interval at the level of 1 - significance: a confidence interval of a measured "
        "metric, a prediction interval (of the value that labels would give) of an estimate."
    )
    upper: float = Field(description="Upper end of the interval.")
    baseline: float | None = Field(default=None, description="Value on the reference rows.")
    rows: int = Field(ge=0, description="Rows from which it was computed.")
    tolerance: float | None = Field(default=None, description="Tolerated loss; only for the metric that decides.")
    lost: bool | None = Field(
        default=None,
        description="Whether the loss exceeds the tolerance after accounting for both confidence intervals.",
    )


class DriftReport(Part):
    """The result of `perennate drift`."""

    schema_id: Literal["perennate.dev/drift-report/v1"] = Field(default=SCHEMA, alias="schema")
    created: AwareDatetime | None = Field(default=None, description="When the report was made.")
    outcome: ReportOutcome = Field(description="Meaning of the exit code.")
    exit_code: int = Field(ge=0, description="Exit code of the command.")
    words: str = Field(description="The outcome in words.")
    reference: Source
    current: Source
    profile_digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$", description="Digest of the reference's profile.")
    settings: ReportSettings
    columns: tuple[ColumnReport, ...] = Field(description="Worst first; empty if there are too few rows.")
    target: ColumnReport | None = Field(
        default=None,
        description="The true values; they have no part in the outcome. Absent without --target or without labels.",
    )
    faults: tuple[FaultReport, ...] = Field(description="Largest first.")
    performance: tuple[MetricReport, ...] = Field(description="Metrics, measured with labels or estimated.")
    notes: tuple[str, ...] = Field(description="Further remarks.")

    def to_json(self) -> str:
        """The document as JSON text."""
        text = self.model_dump_json(by_alias=True, exclude_none=True, indent=2)
        # The same names, without characters that control a terminal.
        return "\n".join(map(_escaped, text.split("\n"))) + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema of the document."""
    found = DriftReport.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"https://{SCHEMA}.schema.json"}
    required = [*found.pop("required"), "schema"]
    return {**head, **found, "required": sorted(set(required))}


def _escaped(line: str) -> str:
    """A line of JSON with escapes for characters that cannot be printed."""
    return line if line.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
