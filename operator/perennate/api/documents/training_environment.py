"""`environment.json` in the output folder of a run: the versions of what trained the model."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from perennate.api.documents.document import Document

ENVIRONMENT_FILE: Final = "environment.json"
ENVIRONMENT_LIMIT: Final = 16_384
"""Maximum size of the file, in bytes."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$", max_length=64)]


class TrainingEnvironment(Document):
    """`/perennate/out/environment.json`. The train stage writes it, or a user's own container if it likes."""

    schema_: Literal["perennate.dev/environment/v1"] = Field(default="perennate.dev/environment/v1", alias="schema")
    versions: dict[Name, Version] = Field(
        max_length=64, description="Version by name: `python`, and distributions such as `scikit-learn`."
    )
