"""The chart values: the source of values.yaml, values.schema.json and docs/reference/chart.md."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints

from perennate.api.meta import Model
from perennate.reconcilers.settings import InstallationSettings
from tools.text import HEADER, table

if TYPE_CHECKING:
    from collections.abc import Iterator

Text = Annotated[str, StringConstraints(max_length=253)]
SOURCE = "tools/chart.py"


class Image(Model):
    """Repository and tag of an image."""

    repository: Annotated[str, StringConstraints(min_length=1, max_length=400)] = Field(
        description="Image repository, with the registry host."
    )
    tag: Annotated[str, StringConstraints(max_length=128)] = Field(
        default="", description="Tag, or `tag@sha256:...`. Default: the appVersion of the chart."
    )


class Images(Model):
    """The three images."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        default="IfNotPresent", description="Image pull policy of the operator, training and serving pods."
    )
    operator: Image = Field(default=Image(repository="perennate/operator"), description="Image of the operator.")
    trainer: Image = Field(default=Image(repository="perennate/trainer"), description="Image of training pods.")
    serving: Image = Field(default=Image(repository="perennate/serving"), description="Image of serving pods.")


class Store(Model):
    """The claim that holds the model versions of a namespace. The operator never changes or deletes it."""

    size: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?([KMGTP]i?)?$", max_length=20)] = Field(
        default=InstallationSettings.store_size, description="Size of the store of each namespace."
    )
    storage_class_name: Text = Field(
        default="", description="Storage class. Default: the default class of the cluster."
    )
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = Field(
        default="ReadWriteOnce",
        description="With ReadWriteOnce, all pods of a namespace that use the store run on one node. "
        "ReadWriteMany needs a storage class that supports it.",
    )


class ServiceAccount(Model):
    """The ServiceAccount of the operator."""

    create: bool = Field(default=True, description="Create the ServiceAccount. If false, use an existing one.")
    name: Text = Field(default="", description="Name of the ServiceAccount. Default: derived from the release name.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Annotations of the ServiceAccount.")


class Resources(Model):
    """Compute resources of a container."""

    requests: dict[str, str | int] = Field(default={"cpu": "100m", "memory": "160Mi"}, description="Resource requests.")
    limits: dict[str, str | int] = Field(default={"memory": "512Mi"}, description="Resource limits.")


class MetricsService(Model):
    """A Service for the operator's metrics."""

    enabled: bool = Field(default=False, description="Create the Service `<release>-operator-metrics` (port 8081).")


class Values(Model):
    """Values of the chart."""

    replicas: int = Field(
        default=1,
        ge=0,
        le=5,
        description="Number of operator replicas. One is the leader; the others take over within seconds.",
    )
    image: Images = Field(default=Images(), description="Images of the operator and of the pods that it creates.")
    store: Store = Field(default=Store(), description="The claim that holds the model versions of a namespace.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Log level.")
    resources: Resources = Field(default=Resources(), description="Compute resources of the operator.")
    service_account: ServiceAccount = Field(default=ServiceAccount(), description="The ServiceAccount of the operator.")
    metrics_service: MetricsService = Field(default=MetricsService(), description="Service for the operator's metrics.")
    node_selector: dict[str, str] = Field(default_factory=dict, description="Node selector of the operator pods.")
    tolerations: list[dict[str, Any]] = Field(default_factory=list, description="Tolerations of the operator pods.")
    affinity: dict[str, Any] = Field(default_factory=dict, description="Affinity of the operator pods.")


def files() -> dict[str, str]:
    """Return the text of the chart's generated files and of its reference page, by path."""
    return {
        "charts/perennate/values.yaml": HEADER.format(source=SOURCE) + "\n".join(_yaml_lines(Values(), "")) + "\n",
        "charts/perennate/values.schema.json": json.dumps(_schema(), indent=2) + "\n",
        "docs/reference/chart.md": _reference(),
    }


def _yaml_lines(values: Model, indent: str) -> Iterator[str]:
    """Yield the values as lines of YAML, each below its description."""
    for name, field in type(values).model_fields.items():
        value = getattr(values, name)
        if field.description:
            yield from textwrap.wrap(
                field.description, 118, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
            )
        if isinstance(value, Model):
            yield f"{indent}{field.alias}:"
            yield from _yaml_lines(value, indent + "  ")
        else:
            text = (
                json.dumps(value)
                if isinstance(value, str) and not value
                else yaml.safe_dump(value, default_flow_style=True)
            )
            yield f"{indent}{field.alias}: {text.removesuffix(chr(10)).removesuffix(chr(10) + '...')}"


def _schema() -> dict[str, Any]:
    """Return the JSON Schema of the values. It allows `global`, which Helm passes to every chart."""
    schema = Values.model_json_schema()
    schema["properties"]["global"] = {"type": "object", "description": "Values that Helm shares with all charts."}
    schema["properties"].pop("$schema", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_untitled(schema)}


def _untitled(node: Any) -> Any:
    """Return the schema without pydantic's titles, which repeat the field names."""
    if isinstance(node, dict):
        return {key: _untitled(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    return [_untitled(item) for item in node] if isinstance(node, list) else node


def _rows(values: Model, prefix: str) -> Iterator[tuple[str, ...]]:
    for name, field in type(values).model_fields.items():
        value = getattr(values, name)
        path = f"{prefix}{field.alias}"
        if isinstance(value, Model):
            yield from _rows(value, f"{path}.")
        else:
            yield f"`{path}`", f"`{json.dumps(value)}`", field.description or ""


def _reference() -> str:
    lines = [
        "# Chart values",
        "",
        f"<!-- Generated by `make generate` from {SOURCE}. Do not edit. -->",
        "",
        "`helm install perennate charts/perennate --namespace perennate-system --create-namespace --set <value>=...`",
        "",
        *table(("value", "default", "meaning"), _rows(Values(), "")),
        "",
    ]
    return "\n".join(lines)
