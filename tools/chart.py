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
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
REPOSITORY = r"^([a-zA-Z0-9][-a-zA-Z0-9.]*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)?$"
SOURCE = "tools/chart.py"


class Image(Model):
    """Repository and tag of an image."""

    repository: Annotated[str, StringConstraints(pattern=REPOSITORY, max_length=400)] = Field(
        default="",
        description="Image repository, with the registry host. Default: `<image.registry>/perennate-<name>`.",
    )
    tag: Annotated[str, StringConstraints(max_length=128)] = Field(
        default="", description="Tag, or `tag@sha256:...`. Default: the appVersion of the chart."
    )


class Images(Model):
    """The three images. No images are published, so there is no default registry."""

    registry: Annotated[str, StringConstraints(pattern=REPOSITORY, max_length=253)] = Field(
        default="",
        description="Required: registry and folder of your images, such as `registry.example.com/team`. "
        "The local cluster of the repository has its images in `localhost`.",
    )
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        default="IfNotPresent", description="Image pull policy of the operator, training and serving pods."
    )
    operator: Image = Field(default=Image(), description="Image of the operator.")
    trainer: Image = Field(default=Image(), description="Image of training pods.")
    serving: Image = Field(default=Image(), description="Image of serving pods.")


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


class Metrics(Model):
    """Who may read the operator's metrics."""

    token_review: bool = Field(
        default=False,
        description="Answer only callers with a bearer token that may get the non-resource URL /metrics. The operator "
        "then may create TokenReviews and SubjectAccessReviews, in a ClusterRole of its own.",
    )


class AdmissionPolicy(Model):
    """The ValidatingAdmissionPolicy on the operator's account."""

    enabled: bool = Field(
        default=True,
        description="Create a ValidatingAdmissionPolicy that limits what the operator's account may write. "
        "Only a cluster administrator can create it.",
    )


class ApiServer(Model):
    """Addresses of the API server, as the network plugin sees them."""

    ports: list[Annotated[int, Field(ge=1, le=65_535)]] = Field(
        default=[443, 6443], min_length=1, max_length=10, description="Ports of the API server and of its Service."
    )
    cidrs: list[Text] = Field(
        default_factory=list,
        max_length=20,
        description="Address ranges of the API server, such as `10.0.0.1/32`. Default: any address.",
    )


class NetworkPolicy(Model):
    """NetworkPolicies. A network plugin must enforce them."""

    operator: bool = Field(
        default=True,
        description="Create a NetworkPolicy for the operator: "
        "it may call only the API server and port 3001 of serving pods.",
    )
    api_server: ApiServer = Field(default=ApiServer(), description="Where the operator reaches the API server.")
    metrics_clients: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=20,
        description="NetworkPolicy peers that may read the metrics of the operator (port 8081) and of serving pods "
        "(port 3001), such as Prometheus. Default: none.",
    )
    enabled: bool = Field(
        default=False, description="Create NetworkPolicies for the training and serving pods of `namespaces`."
    )
    namespaces: list[Namespace] = Field(
        default_factory=list,
        max_length=200,
        description="Namespaces with training and serving pods. Default: `watchNamespaces`.",
    )
    serving_clients: list[dict[str, Any]] = Field(
        default=[{"podSelector": {}}],
        max_length=20,
        min_length=1,
        description="NetworkPolicy peers that may call port 3000 of serving pods, such as a gateway. "
        "Default: the pods of the same namespace.",
    )
    training_egress: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=20,
        description="NetworkPolicy egress rules of training pods. Default: no connections.",
    )


class Values(Model):
    """Values of the chart."""

    replicas: int = Field(
        default=1,
        ge=0,
        le=5,
        description="Number of operator replicas. One is the leader; the others take over within seconds.",
    )
    image: Images = Field(default=Images(), description="Images of the operator and of the pods that it creates.")
    watch_namespaces: list[Namespace] = Field(
        default_factory=list,
        max_length=200,
        description="The only namespaces in which the operator works, with Roles there and no ClusterRole. "
        "They must exist. Default: all namespaces, with a ClusterRole.",
    )
    admission_policy: AdmissionPolicy = Field(
        default=AdmissionPolicy(), description="The admission policy on the operator's account."
    )
    network_policy: NetworkPolicy = Field(
        default=NetworkPolicy(), description="NetworkPolicies. A network plugin must enforce them."
    )
    store: Store = Field(default=Store(), description="The claim that holds the model versions of a namespace.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Log level.")
    resources: Resources = Field(default=Resources(), description="Compute resources of the operator.")
    service_account: ServiceAccount = Field(default=ServiceAccount(), description="The ServiceAccount of the operator.")
    metrics_service: MetricsService = Field(default=MetricsService(), description="Service for the operator's metrics.")
    cache_mebibytes: int = Field(
        default=128,
        ge=16,
        le=65_536,
        description="MiB of the operator's memory for objects of all namespaces. One namespace gets a quarter of it at "
        "most. Raise resources.limits.memory by twice as much.",
    )
    metrics: Metrics = Field(default=Metrics(), description="Who may read the operator's metrics.")
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
        (
            "`helm install perennate charts/perennate --namespace perennate-system --create-namespace "
            "--set image.registry=...`"
        ),
        "",
        *table(("value", "default", "meaning"), _rows(Values(), "")),
        "",
    ]
    return "\n".join(lines)
