"""The registry of kinds: generic code names no kind, and a new kind needs no change in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from pydantic import Field

from perennate.api.meta import Condition, CustomResource, HistoryEntry, KindDeclaration, Manifest, Model, StatusModel
from perennate.api.v1alpha1 import KINDS
from perennate.api.wellknown import API_VERSION
from perennate.kube.kind import Kind, Registry
from perennate.kube.kinds.registry import REGISTRY
from perennate.kube.reader import Reader
from perennate.kube.routing import Router
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import JOB, Key
from perennate.reconcilers.manifests import value_at
from perennate.reconcilers.plan import Plan
from perennate.reconcilers.watch import PausedWatch
from tests.support.cluster import manifests
from tests.support.tree import ROOT
from tests.support.world import fake_time
from tests.support.world.shell import Shell

GENERIC = (
    *("kube/reconcile.py", "kube/routing.py", "kube/reader.py", "kube/kind.py", "reconcilers/invalid.py"),
    *(f"reconcilers/{name}.py" for name in ("plan", "status_builder", "chain", "gauges", "watch")),
)
GENERIC_FOLDERS = ("kube/intake", "kube/runtime", "controllers", "telemetry")
NAMES = tuple(kind.declaration.kind for kind in KINDS)


class ToySpec(Model):
    """The name of the ModelDeployment that the toy depends on."""

    deployment: str


class ToyStatus(StatusModel):
    """Whether the ModelDeployment was found."""

    observed_generation: int = 0
    summary: str = ""
    found: bool = False
    conditions: tuple[Condition, ...] = ()
    history: tuple[HistoryEntry, ...] = ()


class Toy(CustomResource):
    """A fourth kind, for tests only."""

    declaration: ClassVar[KindDeclaration] = KindDeclaration("Toy", "toys", "toy", (), "a toy")

    spec: ToySpec
    status: ToyStatus = Field(default_factory=ToyStatus)


@dataclass(frozen=True)
class ToyObserved:
    """The observed state of a toy."""

    resource: Toy
    found: bool


async def observe(resource: Toy, reader: Reader) -> ToyObserved:
    """Read the ModelDeployment."""
    model = REGISTRY.kinds["ModelDeployment"].model
    return ToyObserved(resource, reader.named(model, "ns", resource.spec.deployment) is not None)


def decide(observed: ToyObserved) -> Plan:
    """Report whether it was found, and pause a watch."""
    status = ToyStatus(observed_generation=1, found=observed.found)
    return Plan(status=status.to_document(), watch=PausedWatch("u"))


TOY = Kind(
    model=Toy,
    status=ToyStatus,
    observe=observe,
    decide=decide,
    summary_condition="Ready",
    owns=(JOB,),
    pod_label="perennate.dev/toy",
    depends_on={
        "ModelDeployment": lambda toy, changed: bool(value_at(toy, "spec", "deployment") == changed["metadata"]["name"])
    },
    verbs=("perennate.dev/play",),
)
WITH_TOY = Registry((*REGISTRY.kinds.values(), TOY))
KEY = Key("Toy", "ns", "toy")


def make_toy(**spec: object) -> Manifest:
    """A manifest of a toy."""
    metadata = {"name": "toy", "namespace": "ns", "generation": 1}
    return {"apiVersion": API_VERSION, "kind": "Toy", "metadata": metadata, "spec": {"deployment": "serve", **spec}}


@pytest.mark.parametrize("name", NAMES)
def test_generic_code_names_no_kind(name: str) -> None:
    package = ROOT / "operator" / "perennate"
    files = [*(package / path for path in GENERIC), *(p for f in GENERIC_FOLDERS for p in (package / f).glob("*.py"))]
    assert [str(path) for path in files if name in path.read_text()] == []


def test_every_kind_of_the_api_is_registered() -> None:
    assert {kind.model for kind in REGISTRY.kinds.values()} == set(KINDS)


def test_a_toy_is_observed_and_decided() -> None:
    async def scenario() -> None:
        shell = Shell(manifests.model_deployment("serve", "ns"), make_toy(), registry=WITH_TOY)
        await shell.work(10)
        assert shell.client.objects[KEY]["status"]["found"] is True
        assert ("Toy", "done") in shell.recorder.results

    fake_time.run(scenario())


def test_a_toy_that_is_not_valid_gets_a_condition() -> None:
    async def scenario() -> None:
        shell = Shell(make_toy(unknown=1), registry=WITH_TOY)
        await shell.work(10)
        (condition,) = shell.client.objects[KEY]["status"]["conditions"]
        assert (condition["type"], condition["reason"]) == ("Ready", "InvalidSpec")
        assert "spec.unknown" in condition["message"]

    fake_time.run(scenario())


def test_a_deleted_toy_is_forgotten() -> None:
    async def scenario() -> None:
        shell = Shell(registry=WITH_TOY)
        shell.queue.add(KEY)
        await shell.work(10)
        assert shell.recorder.results == [("Toy", "gone")]
        assert shell.recorder.forgotten == [KEY]

    fake_time.run(scenario())


def test_changes_enqueue_a_toy() -> None:
    """A toy is enqueued by changes of its spec, dependencies, children and pods, and by its verb annotations."""
    queue = WorkQueue()
    router = Router(WITH_TOY, queue)
    cache = Cache(router)
    router.attach(cache)
    added: list[Key] = []
    queue.add = lambda key, **_: added.append(key)  # type: ignore[method-assign]
    owner = {"kind": "Toy", "name": "toy", "uid": "u", "controller": True}
    job = {"apiVersion": "batch/v1", "kind": "Job"}
    pod = {"apiVersion": "v1", "kind": "Pod"}
    changes: tuple[tuple[Manifest, Manifest], ...] = (
        (make_toy(), {}),
        (manifests.model_deployment("serve", "ns"), {}),
        ({**job, "metadata": {"name": "j", "namespace": "ns"}}, {"ownerReferences": [owner]}),
        (
            {**pod, "metadata": {"name": "p", "namespace": "ns"}},
            {"labels": {"perennate.dev/toy": "toy"}, "ownerReferences": [{**owner, "kind": "ReplicaSet"}]},
        ),
        (make_toy(), {"annotations": {"perennate.dev/play": "now"}}),
    )
    for version, (manifest, metadata) in enumerate(changes, start=1):
        added.clear()
        identity = {"uid": "u", "resourceVersion": str(version)}
        cache.put({**manifest, "metadata": {**manifest["metadata"], **identity, **metadata}}, Source.WATCH)
        assert KEY in added, manifest


def test_a_toys_resources_are_watched() -> None:
    assert WITH_TOY.resources.primary["Toy"].path("ns", "toy") == "/apis/perennate.dev/v1alpha1/namespaces/ns/toys/toy"
    assert "Job" in WITH_TOY.resources.watched
