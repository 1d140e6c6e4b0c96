"""The report as a document. What people read and what programs read are made of the same object."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from perennate.api.feature_types import FeatureKind

SCHEMA: Final = "perennate.dev/drift-report/v1"

Outcome = Literal["Quiet", "Drift", "DataFault", "Unknown"]
VerdictName = Literal["None", "Changed", "Warning", "Drifted", "Unknown"]


class Part(BaseModel):
    """Base of all parts: frozen, camelCase outside, no NaN and no infinity."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )


class Source(Part):
    """Where rows come from."""

    names: tuple[str, ...] = Field(description="Files.")
    rows: int = Field(ge=0, description="Rows that they hold.")
    rows_used: int = Field(ge=0, description="Rows that were counted; fewer than `rows` if rows were drawn evenly.")


class Settings(Part):
    """What was asked for."""

    min_samples: int = Field(ge=1, description="Rows below which nothing is said.")
    significance: float = Field(gt=0, lt=1, description="Chance of a false alarm in the whole run.")
    warning: float = Field(gt=0, description="Effect of a warning.")
    drifted: float = Field(gt=0, description="Effect of drift.")
    min_drifted_features: Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)] = Field(
        description="How many columns must drift: a whole number, or a share below 1 of those that can be judged."
    )


class Shares(Part):
    """A share of the rows on both sides."""

    reference: float = Field(ge=0, le=1, description="Of the reference rows.")
    current: float = Field(ge=0, le=1, description="Of the current rows.")


class Cell(Part):
    """Rows that fell into one bin or category."""

    label: str = Field(description="The bin or category in words.")
    lower: float | None = Field(default=None, description="Numbers: values above this one; absent for the lowest bin.")
    upper: float | None = Field(default=None, description="Numbers: values up to this one; absent for the highest bin.")
    reference: int = Field(ge=0, description="Reference rows.")
    current: int = Field(ge=0, description="Current rows.")


class ColumnReport(Part):
    """What was found of one column, or of the score."""

    name: str = Field(description="Name of the column; `score` and `prediction` are what the model said.")
    kind: Literal[FeatureKind, "score", "prediction"] = Field(description="What it holds.")
    verdict: VerdictName = Field(
        description="Drifted and Warning are significant and large, Changed is significant but too small to matter, "
        "None is not significant, Unknown has too few rows."
    )
    words: str = Field(description="The verdict in words.")
    hint: str | None = Field(default=None, description="What may lie behind it.")
    method: str = Field(description="How the effect is measured.")
    effect: float = Field(description="Size of the change.")
    threshold: float = Field(description="Effect from which a significant change is drift.")
    warning: float = Field(description="Effect from which a significant change is a warning.")
    p: float = Field(ge=0, le=1, description="Chance of such a change if nothing changed, before Holm's correction.")
    statistics: dict[str, float] = Field(description="Every effect size that applies, by name; `psi` is PSI*.")
    psi: float = Field(description="PSI as other tools report it; PSI* is less what chance alone gives.")
    design_effect: float = Field(ge=1, description="How much less than independent rows the rows say.")
    rows: int = Field(ge=0, description="Current rows with a value.")
    missing: Shares | None = Field(default=None, description="Rows without a value.")
    unseen: Shares | None = Field(
        default=None, description="Rows of a category beyond those counted one by one, or with a value of another kind."
    )
    out_of_range: Shares | None = Field(
        default=None, description="Rows below the least or above the largest value of the reference."
    )
    cells: tuple[Cell, ...] = Field(description="Histogram: the bins from low to high, or the categories.")
    mark: float | None = Field(default=None, description="Decision threshold of the score.")


class FaultReport(Part):
    """A data fault."""

    column: str = Field(description="Name of the column.")
    check: Literal["missing", "other", "out-of-range"] = Field(description="What is wrong with the values.")
    words: str = Field(description="The fault in words.")
    shares: Shares = Field(description="Rows with the fault.")
    p: float = Field(ge=0, le=1, description="Chance of such a rise if nothing changed, before Holm's correction.")


class MetricReport(Part):
    """A performance metric of the current rows."""

    metric: str = Field(description="Its name.")
    estimated: bool = Field(description="Whether it is estimated from the scores alone, without labels.")
    value: float = Field(description="Its value.")
    lower: float = Field(description="Lower end of its interval.")
    upper: float = Field(description="Upper end of its interval.")
    baseline: float | None = Field(default=None, description="Its value on the reference rows.")
    rows: int = Field(ge=0, description="Rows that it was taken from.")
    tolerance: float | None = Field(
        default=None, description="Loss that is tolerated; only of the metric that decides."
    )
    lost: bool | None = Field(
        default=None,
        description="Whether it is worse than the baseline by more than is tolerated, wherever in their intervals.",
    )


class DriftReport(Part):
    """What `perennate drift` found."""

    schema_id: Literal["perennate.dev/drift-report/v1"] = Field(default=SCHEMA, alias="schema")
    outcome: Outcome = Field(description="What the exit code says in a word.")
    exit_code: int = Field(ge=0, description="Exit code of the command.")
    words: str = Field(description="The outcome in words.")
    reference: Source
    current: Source
    profile_digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$", description="Digest of the reference's profile.")
    settings: Settings
    columns: tuple[ColumnReport, ...] = Field(description="Worst first; empty if there are too few rows.")
    faults: tuple[FaultReport, ...] = Field(description="Largest first.")
    performance: tuple[MetricReport, ...] = Field(description="Measured from the truth, or estimated.")
    notes: tuple[str, ...] = Field(description="What else a reader should know.")

    def to_json(self) -> str:
        """The document as text."""
        return self.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema of the document."""
    found = DriftReport.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"https://{SCHEMA}.schema.json"}
    required = [*found.pop("required"), "schema"]
    return {**head, **found, "required": sorted(set(required))}
