"""One namespace of the fake API server, with passes of the pure core over its objects and simulated crashes."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
from perennate.api.wellknown import API_VERSION, FIELD_MANAGER, LABEL_MODEL_DEPLOYMENT, STATUS_MANAGER, STORE_CLAIM
from perennate.builders.manifest import controller_uid
from perennate.kube.intake.trimming import trim
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Key as ServerKey
from perennate.kube.runtime.resources import key_of
from perennate.reconcilers.drift_policy import observed as policy_view
from perennate.reconcilers.drift_policy.decide import decide as decide_policy
from perennate.reconcilers.drift_policy.watching import watch_of
from perennate.reconcilers.model_deployment import observed as deployment_view
from perennate.reconcilers.model_deployment.decide import decide as decide_deployment
from perennate.reconcilers.training_job import observed as run_view
from perennate.reconcilers.training_job.decide import decide as decide_run
from perennate.reconcilers.watch import WatchState
from tests.support.world.api_server import FakeApiServer
from tests.support.world.objects import NAMESPACE, NOW, SETTINGS, Document

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennate.drift import Profile, Sample
    from perennate.reconcilers.plan import ObjectRef, Plan
    from perennate.reconcilers.settings import InstallationSettings

Key = tuple[str, str]
OURS = {"TrainingJob", "ModelDeployment", "DriftPolicy"}
_VERSIONS = {**dict.fromkeys(OURS, API_VERSION), "Job": "batch/v1", "Deployment": "apps/v1"}


class NotSettledError(AssertionError):
    """Passes over an object do not reach a stable state."""


@dataclass
class World:
    """A namespace, the time, and what the monitor knows.

    Attributes:
        server: the API server that holds the objects.
        now: time of the next pass.
        created: kind, name and uid of every object that a plan created.
        profile, sample: inputs of a pass over a DriftPolicy from the monitor.
        profile_error: the error if there is no profile; None before the first scrape.
        evaluation_due: whether `spec.interval` has passed; reset by a pass that writes the status.
        scrape_attempted: whether the monitor has scraped since the operator started.
        pods_total, pods_answering: pods of the target, and those that answered the last scrape.
        pods_seen: pods whose counts are in the window.
        trims: whether observers see objects as the cache keeps them.
    """

    server: FakeApiServer = field(default_factory=FakeApiServer)
    now: datetime = NOW
    settings: InstallationSettings = SETTINGS
    created: list[tuple[str, str, str]] = field(default_factory=list)
    profile: Profile | None = None
    profile_error: str | None = "connection refused"
    sample: Sample | None = None
    evaluation_due: bool = False
    scrape_attempted: bool = True
    pods_total: int = 1
    pods_answering: int = 1
    pods_seen: int = 1
    trims: bool = False

    def __post_init__(self) -> None:
        """Let the API server use the time of this world."""
        self.server.time = lambda: _time(self.now)

    @classmethod
    def of(cls, *documents: Document, **fields: object) -> World:
        """A world with these objects."""
        world = replace(cls(), **fields)  # type: ignore[arg-type]
        for document in documents:
            world.put(document)
        return world

    @property
    def objects(self) -> dict[Key, Document]:
        """The stored objects by kind and name, in the order of their creation; a test may change one in place."""
        return {(key.kind, key.name): document for key, document in self.server.objects.items()}

    @property
    def writes(self) -> int:
        """How often an object was created, changed or deleted."""
        return self.server.changes

    def put(self, document: Document) -> None:
        """Write an object, as a user or a controller would."""
        self.server.put({"kind": "Pod", **document})

    def get(self, kind: str, name: str) -> Document | None:
        """A copy of an object."""
        found = self.server.get(_key(kind, name))
        return self._seen(found) if found is not None else None

    def of_kind(self, kind: str) -> list[Document]:
        """Copies of all objects of a kind."""
        return [self._seen(copy.deepcopy(document)) for (found, _), document in self.objects.items() if found == kind]

    def delete(self, kind: str, name: str) -> None:
        """Delete an object and what it controls."""
        self.server.delete(_key(kind, name))

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def observe(self, kind: str, name: str) -> object:
        """The observed state for a pass over an object."""
        observers: dict[str, Callable[[str], object]] = {
            "TrainingJob": self._observe_run,
            "ModelDeployment": self._observe_deployment,
            "DriftPolicy": self._observe_policy,
        }
        return observers[kind](name)

    def plan(self, kind: str, name: str) -> Plan:
        """The plan of a pass over an object. It must be the same for objects as the cache keeps them."""
        deciders = {"TrainingJob": decide_run, "ModelDeployment": decide_deployment, "DriftPolicy": decide_policy}
        whole: Plan = deciders[kind](self.observe(kind, name))  # type: ignore[operator]
        self.trims = True
        trimmed: Plan = deciders[kind](self.observe(kind, name))  # type: ignore[operator]
        self.trims = False
        assert trimmed == whole, "the cache drops a field that decides"
        return whole

    def execute(self, kind: str, name: str, plan: Plan, *, crash_after: int | None = None) -> bool:
        """Carry out a plan in the executor's order, up to `crash_after` actions; return whether it was completed."""
        actions: list[Callable[[], None]] = [
            *(lambda d=d: self._create(d) for d in plan.create),
            *(lambda d=d: self._apply(d) for d in plan.apply),
            lambda: self._write_status(kind, name, plan.status),
            *(lambda r=r: self._delete_exactly(r) for r in plan.delete),
        ]
        for action in actions[:crash_after]:
            action()
        return crash_after is None or crash_after >= len(actions)

    def step(self, kind: str, name: str, *, crash_after: int | None = None) -> Plan | None:
        """Run one pass over an object if it exists."""
        if (kind, name) not in self.objects:
            return None
        plan = self.plan(kind, name)
        self.execute(kind, name, plan, crash_after=crash_after)
        return plan

    def settle(self, kind: str, name: str, *, limit: int = 12) -> list[Plan]:
        """Run passes over an object until one changes nothing; return the plans that changed something.

        Raises:
            NotSettledError: the object did not reach a stable state.
        """
        plans: list[Plan] = []
        for _ in range(limit):
            before = copy.deepcopy(self.objects)
            plan = self.step(kind, name)
            if plan is None or self.objects == before:
                return plans
            plans.append(plan)
        raise NotSettledError(f"{kind} {name} did not come to rest in {limit} passes")

    def _seen(self, document: Document) -> Document:
        """The object as an observer sees it."""
        version = document.get("apiVersion") or _VERSIONS.get(document["kind"], "v1")
        return trim({**document, "apiVersion": version}) if self.trims else document

    def _observe_run(self, name: str) -> run_view.TrainingJobObserved:
        resource = TrainingJob.model_validate(self.objects["TrainingJob", name])
        job = self.get("Job", run_view.job_name(resource))
        claim = run_view.data_claim_name(resource)
        return run_view.TrainingJobObserved(
            resource=resource,
            job=job,
            pods=tuple(
                p for p in self.of_kind("Pod") if job is not None and controller_uid(p) == job["metadata"]["uid"]
            ),
            store_claim=("PersistentVolumeClaim", STORE_CLAIM) in self.objects,
            data_claim=None if claim is None else ("PersistentVolumeClaim", claim) in self.objects,
            champion=self._deployment(run_view.champion_name(resource)),
            captured=self._deployment(run_view.captured_name(resource)),
            settings=self.settings,
            now=self.now,
        )

    def _observe_deployment(self, name: str) -> deployment_view.ModelDeploymentObserved:
        resource = ModelDeployment.model_validate(self.objects["ModelDeployment", name])
        line = deployment_view.model_name(resource)
        jobs = (TrainingJob.model_validate(document) for document in self.of_kind("TrainingJob"))
        return deployment_view.ModelDeploymentObserved(
            resource=resource,
            deployment=self.get("Deployment", name),
            service=self.get("Service", name),
            pods=tuple(
                p for p in self.of_kind("Pod") if p["metadata"].get("labels", {}).get(LABEL_MODEL_DEPLOYMENT) == name
            ),
            training_jobs=tuple(job for job in jobs if job.spec.model.name == line),
            store_claim=("PersistentVolumeClaim", STORE_CLAIM) in self.objects,
            settings=self.settings,
            now=self.now,
        )

    def _observe_policy(self, name: str) -> policy_view.DriftPolicyObserved:
        resource = DriftPolicy.model_validate(self.objects["DriftPolicy", name])
        target = self._deployment(resource.spec.target_ref.name)
        job_name = policy_view.training_job_name(resource)
        job = self.get("TrainingJob", job_name) if job_name is not None else None
        return policy_view.DriftPolicyObserved(
            resource=resource,
            target=target,
            training_job=TrainingJob.model_validate(job) if job is not None else None,
            watch=watch_of(resource, target),
            state=WatchState(
                attempted=self.scrape_attempted,
                profile=self.profile,
                profile_error=self.profile_error if self.profile is None else None,
                sample=self.sample,
                pods_total=self.pods_total,
                pods_answering=self.pods_answering,
                pods_seen=self.pods_seen,
                errors=() if self.pods_answering else ("10.0.0.1: connection refused",),
                evaluation_due=self.evaluation_due,
            ),
            now=self.now,
        )

    def _deployment(self, name: str | None) -> ModelDeployment | None:
        document = self.get("ModelDeployment", name) if name is not None else None
        return ModelDeployment.model_validate(document) if document is not None else None

    def _create(self, document: Document) -> None:
        try:
            stored = self.server.create(document, manager=FIELD_MANAGER)
        except ApiError as error:
            ours = controller_uid(document)
            found = self.server.objects[key_of(document)]
            if ours is not None and controller_uid(found) != ours:
                raise NotSettledError(f"{key_of(document)} belongs to another owner") from error
            return
        self._remember(stored)

    def _apply(self, document: Document) -> None:
        is_new = key_of(document) not in self.server.objects
        if is_new and "uid" in document["metadata"]:
            return
        applied = self.server.apply(document, manager=FIELD_MANAGER)
        if is_new:
            self._remember(applied)

    def _remember(self, stored: Document) -> None:
        self.created.append((stored["kind"], stored["metadata"]["name"], stored["metadata"]["uid"]))

    def _write_status(self, kind: str, name: str, status: Document | None) -> None:
        if status is None:
            return
        found = self.server.objects[_key(kind, name)]
        metadata = {field: found["metadata"][field] for field in ("name", "namespace", "uid", "resourceVersion")}
        document = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "status": status}
        self.server.apply(document, manager=STATUS_MANAGER, subresource="status")
        if kind == "DriftPolicy":
            self.evaluation_due = False

    def _delete_exactly(self, reference: ObjectRef) -> None:
        self.server.delete(_key(reference.kind, reference.name), uid=reference.uid)


def _key(kind: str, name: str) -> ServerKey:
    return ServerKey(kind, NAMESPACE, name)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


__all__ = ["NAMESPACE", "OURS", "NotSettledError", "World"]
