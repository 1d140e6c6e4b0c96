"""A kind as the controller sees it: one value that says how its objects are reconciled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar

from perennate.api import wellknown
from perennate.api.meta import CustomResource, Manifest, ObjectMeta, StatusModel
from perennate.kube.intake.trimming import OVERSIZE
from perennate.kube.reader import Reader, parse
from perennate.kube.runtime.resources import Resource, Resources
from perennate.reconcilers.gauges import GaugeFamily
from perennate.reconcilers.invalid import FORBIDDEN, OBJECT_TOO_LARGE, InvalidObserved, decide_invalid
from perennate.reconcilers.plan import Plan

R = TypeVar("R", bound=CustomResource)
O = TypeVar("O")  # noqa: E741

DependsOn = Callable[[Manifest, Manifest], bool]
"""Whether the first object must be reconciled because the status of the second one changed."""


@dataclass(frozen=True)
class Kind(Generic[R, O]):
    """How the objects of one kind are reconciled.

    Attributes:
        model: class of the objects.
        status: class of their status.
        observe: reads everything that `decide` depends on. It changes nothing.
        decide: the plan for what was observed. A pure function.
        summary_condition: the condition that says whether an object does what its spec asks for.
        terminal_conditions: an object with one of these at True is finished: its status is not written again.
        owns: the resources of its children; the cache watches them.
        pod_label: the label by which a pod names its object, if its controller is not watched.
        depends_on: for each other kind, which objects depend on an object of it.
        verbs: annotations by which a person requests something; a change of one enqueues the object at once.
        gauges: the metrics that `decide` reports about single objects.
    """

    model: type[R]
    status: type[StatusModel]
    observe: Callable[[R, Reader], Awaitable[O]]
    decide: Callable[[O], Plan]
    summary_condition: str
    terminal_conditions: frozenset[str] = frozenset()
    owns: tuple[Resource, ...] = ()
    pod_label: str | None = None
    depends_on: Mapping[str, DependsOn] = field(default_factory=dict)
    verbs: tuple[str, ...] = ()
    gauges: tuple[GaugeFamily, ...] = ()

    @property
    def name(self) -> str:
        """The kind as manifests carry it."""
        return self.model.declaration.kind

    @property
    def resource(self) -> Resource:
        """The resource of its objects."""
        return Resource(wellknown.GROUP, wellknown.VERSION, self.model.declaration.plural, self.name)

    async def plan(self, manifest: Manifest, reader: Reader) -> Plan:
        """Observe and decide. An object that is too large or not valid gets a condition that says why."""
        if OVERSIZE in manifest:
            return decide_invalid(replace(self._invalid(manifest, manifest[OVERSIZE], reader), reason=OBJECT_TOO_LARGE))
        try:
            resource = parse(self.model, manifest)
        except ValueError as error:
            return decide_invalid(self._invalid(manifest, str(error), reader))
        return self.decide(await self.observe(resource, reader))

    def forbidden(self, manifest: Manifest, message: str, reader: Reader) -> Plan:
        """The plan that reports a forbidden call in the summary condition."""
        return decide_invalid(replace(self._invalid(manifest, message, reader), reason=FORBIDDEN))

    def _invalid(self, manifest: Manifest, message: str, reader: Reader) -> InvalidObserved:
        return InvalidObserved(
            metadata=ObjectMeta.model_validate(manifest["metadata"]),
            status=manifest.get("status", {}),
            status_model=self.status,
            summary_condition=self.summary_condition,
            terminal_conditions=self.terminal_conditions,
            message=message,
            now=reader.now(),
        )


class Registry:
    """The kinds that the operator reconciles.

    Attributes:
        kinds: the kinds, by name.
        resources: their resources and those of their children.
    """

    def __init__(self, kinds: Iterable[Kind[Any, Any]]) -> None:
        self.kinds: Final = {kind.name: kind for kind in kinds}
        owned = {resource.kind: resource for kind in self.kinds.values() for resource in kind.owns}
        primary = (kind.resource for kind in self.kinds.values())
        self.resources: Final = Resources(primary=primary, secondary=owned.values())

    @property
    def gauges(self) -> dict[str, tuple[GaugeFamily, ...]]:
        """The metrics about single objects, by kind."""
        return {name: kind.gauges for name, kind in self.kinds.items()}
