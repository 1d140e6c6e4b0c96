"""The chart's values: one declaration for values.yaml, values.schema.json and the reference."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints

from perennate.api.meta import Model
from tools.text import HEADER, table

if TYPE_CHECKING:
    from collections.abc import Iterator

Text = Annotated[str, StringConstraints(max_length=253)]
SOURCE = "tools/chart.py"


class Image(Model):
    """Where an image comes from."""

    repository: Annotated[str, StringConstraints(min_length=1, max_length=400)] = Field(
        description="Repository of the image, with the registry's host unless nodes know it."
    )
    tag: Annotated[str, StringConstraints(max_length=128)] = Field(
        default="", description="Tag, or `tag@sha256:...`; the chart's appVersion when empty."
    )


class Images(Model):
    """The three images."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        default="IfNotPresent", description="When nodes pull the images, those of training and serving pods included."
    )
    operator: Image = Field(default=Image(repository="perennate/operator"), description="Image of the operator.")
    trainer: Image = Field(default=Image(repository="perennate/trainer"), description="Image of training pods.")
    serving: Image = Field(default=Image(repository="perennate/serving"), description="Image of serving pods.")


class Store(Model):
    """The claim that holds a namespace's model versions. It is made once; the operator never changes or deletes it."""

    size: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?([KMGTP]i?)?$", max_length=20)] = Field(
        default="5Gi", description="Size of each namespace's store."
    )
    storage_class_name: Text = Field(default="", description="Storage class; the cluster's default when empty.")
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = Field(
        default="ReadWriteOnce",
        description="ReadWriteOnce keeps all pods of a namespace that use the store on one node; "
        "ReadWriteMany needs a storage class that can do it.",
    )


class ServiceAccount(Model):
    """The account that the operator runs under."""

    create: bool = Field(default=True, description="Make the account, or use one that is there.")
    name: Text = Field(default="", description="Name of the account; derived from the release when empty.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Annotations of the account.")


class Resources(Model):
    """Compute resources of a container."""

    requests: dict[str, str | int] = Field(default={"cpu": "100m", "memory": "160Mi"}, description="What is reserved.")
    limits: dict[str, str | int] = Field(default={"memory": "512Mi"}, description="What may be used at most.")


class MetricsService(Model):
    """A Service in front of the operator's metrics."""

    enabled: bool = Field(default=False, description="Make the Service `<release>-operator-metrics` (port 8081).")


class Values(Model):
    """Values of the chart."""

    replicas: int = Field(
        default=1, ge=0, le=5, description="Operators. One works, elected by a Lease; others take over in seconds."
    )
    image: Images = Field(default=Images(), description="Images of the operator and of the pods that it starts.")
    store: Store = Field(default=Store(), description="The claim that holds a namespace's model versions.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least level that is logged."
    )
    resources: Resources = Field(default=Resources(), description="Compute resources of the operator.")
    service_account: ServiceAccount = Field(
        default=ServiceAccount(), description="The account the operator runs under."
    )
    metrics_service: MetricsService = Field(default=MetricsService(), description="Service in front of the metrics.")
    node_selector: dict[str, str] = Field(default_factory=dict, description="Labels of nodes the operator may run on.")
    tolerations: list[dict[str, Any]] = Field(default_factory=list, description="Taints that the operator tolerates.")
    affinity: dict[str, Any] = Field(default_factory=dict, description="Where the operator prefers to run.")


def files() -> dict[str, str]:
    """The chart's generated files and its reference, by path."""
    return {
        "charts/perennate/values.yaml": HEADER.format(source=SOURCE) + "\n".join(_yaml_lines(Values(), "")) + "\n",
        "charts/perennate/values.schema.json": json.dumps(_schema(), indent=2) + "\n",
        "docs/reference/chart.md": _reference(),
    }


def _yaml_lines(values: Model, indent: str) -> Iterator[str]:
    """The values as YAML, each under its description."""
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
    """JSON Schema of the values. `global` is Helm's own key, which every chart must let through."""
    schema = Values.model_json_schema()
    schema["properties"]["global"] = {"type": "object", "description": "Values that Helm shares with all charts."}
    schema["properties"].pop("$schema", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_untitled(schema)}


def _untitled(node: Any) -> Any:
    """The schema without pydantic's titles, which repeat the names."""
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
        "# Values of the chart",
        "",
        f"<!-- Generated by `make generate` from {SOURCE}. Do not edit. -->",
        "",
        "`helm install perennate charts/perennate --namespace perennate-system --create-namespace --set <value>=...`",
        "",
        *table(("value", "default", "meaning"), _rows(Values(), "")),
        "",
    ]
    return "\n".join(lines)
