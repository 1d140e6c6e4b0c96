"""gather -> Observed, for each kind: from the cache, and live where it lacks a child that ought to be there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from pydantic import ValidationError

from perennate.api.durations import parse_duration
from perennate.api.meta import CustomResource
from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
from perennate.api.wellknown import LABEL_PART_OF, PART_OF, STORE_CLAIM
from perennate.builders.window import window_config_map
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.policy_watch import Assignment
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.claims import Claims
from perennate.kube.runtime.client import KubeClient
from perennate.kube.runtime.resources import DEPLOYMENT, JOB, OURS, POD, SERVICE, Key, Manifest, Resource
from perennate.reconcilers.drift_policy import observed as drift_policy
from perennate.reconcilers.drift_policy.observed import DriftPolicyObserved
from perennate.reconcilers.model_deployment import observed as model_deployment
from perennate.reconcilers.model_deployment.observed import ModelDeploymentObserved
from perennate.reconcilers.settings import Settings
from perennate.reconcilers.training_job import observed as training_job
from perennate.reconcilers.training_job.observed import TrainingJobObserved

R = TypeVar("R", bound=CustomResource)
_ENDED: Final = frozenset({"Succeeded", "Failed"})


def parse(model: type[R], manifest: Manifest) -> R:
    """The object as its model.

    Raises:
        ValueError: it cannot be read; the message names the first field that is wrong.
    """
    try:
        return model.model_validate(
            {name: manifest[name] for name in ("metadata", "spec", "status") if name in manifest}
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error


class TooEarlyError(Exception):
    """What a status says is still true for all we know: nothing new can be said before the pods were asked."""


class Observer:
    """Gathers what the decisions about each kind look at."""

    def __init__(
        self,
        client: KubeClient,
        cache: Cache,
        claims: Claims,
        pods: ServingPods,
        monitor: Monitor,
        *,
        settings: Settings,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._cache = cache
        self._claims = claims
        self._pods = pods
        self._monitor = monitor
        self._settings = settings
        self._now = now

    async def training_job(self, resource: TrainingJob) -> TrainingJobObserved:
        """The run, its Job and pods, and what its spec refers to. A run that has ended looks at nothing but its Job."""
        namespace = resource.metadata.namespace
        ended = resource.status.phase in _ENDED
        begun = resource.status.job_ref is not None
        key = Key(JOB.kind, namespace, training_job.job_name(resource))
        # Before the first Job there is nothing to confirm: its creation is refused if the name is taken.
        job = await self._child(JOB, key, live=begun and not ended)
        claim = training_job.data_claim_name(resource)
        asked = job is None and not ended
        return TrainingJobObserved(
            resource=resource,
            job=job,
            pods=tuple(self._cache.owned_by(job["metadata"]["uid"], POD.kind)) if job is not None else (),
            # Read live: a Job is created next, and its pod would wait for ever for a claim that is only remembered.
            store_claim=await self._claims.exists(namespace, STORE_CLAIM, fresh=True) if asked else True,
            data_claim=(not asked or await self._claims.exists(namespace, claim, fresh=True)) if claim else None,
            champion=self._related(ModelDeployment, namespace, training_job.champion_name(resource)),
            captured=self._related(ModelDeployment, namespace, training_job.captured_name(resource)),
            settings=self._settings,
            now=self._now(),
        )

    async def model_deployment(self, resource: ModelDeployment) -> ModelDeploymentObserved:
        """The deployment, its children and pods, and the runs of its model line."""
        namespace, name = resource.metadata.namespace, resource.metadata.name
        line = model_deployment.model_name(resource)
        runs = (
            manifest
            for manifest in self._cache.objects("TrainingJob", namespace)
            if manifest.get("spec", {}).get("model", {}).get("name") == line
        )
        return ModelDeploymentObserved(
            resource=resource,
            # An unlabelled object of the user's may have the name: it must be seen before anything is applied over it.
            deployment=await self._child(DEPLOYMENT, Key(DEPLOYMENT.kind, namespace, name), live=True),
            service=await self._child(SERVICE, Key(SERVICE.kind, namespace, name), live=True),
            pods=await self._pods.of(namespace, name, resource.metadata.uid),
            training_jobs=tuple(run for manifest in runs if (run := _readable(TrainingJob, manifest)) is not None),
            store_claim=await self._claims.exists(namespace, STORE_CLAIM),
            settings=self._settings,
            now=self._now(),
        )

    async def drift_policy(self, resource: DriftPolicy) -> DriftPolicyObserved:
        """The policy, its target, what the monitor knows of it, and the run of its newest episode.

        Raises:
            TooEarlyError: the operator has just started and has not asked the pods yet; the monitor adds the key
                when it has.
        """
        namespace = resource.metadata.namespace
        target = self._related(ModelDeployment, namespace, resource.spec.target_ref.name)
        key = Key("DriftPolicy", namespace, resource.metadata.name)
        if resource.spec.suspend:
            self._monitor.pause(key, resource.metadata.uid)
        else:
            self._monitor.assign(_assignment(key, resource, target))
        view = self._monitor.view(key)
        told = resource.status.observed_generation == resource.metadata.generation and resource.status.conditions
        if told and not view.tried and not resource.spec.suspend:
            raise TooEarlyError
        return DriftPolicyObserved(
            resource=resource,
            target=target,
            training_job=await self._run_of_episode(resource),
            profile=view.profile,
            profile_error=view.profile_error,
            sample=view.sample,
            pods_total=view.pods_total,
            pods_answering=view.pods_answering,
            last_scrape_errors=view.errors,
            evaluation_due=view.evaluation_due,
            settings=self._settings,
            now=self._now(),
        )

    async def _run_of_episode(self, resource: DriftPolicy) -> TrainingJob | None:
        name = drift_policy.training_job_name(resource)
        if name is None:
            return None
        episode = resource.status.episode
        ended = episode is not None and episode.closed_at is not None
        key = Key("TrainingJob", resource.metadata.namespace, name)
        manifest = await self._child(OURS["TrainingJob"], key, live=not ended)
        return _readable(TrainingJob, manifest) if manifest is not None else None

    async def _child(self, resource: Resource, key: Key, *, live: bool) -> Manifest | None:
        """The object of a child's name, from the cache; read live if the cache has none or does not follow it."""
        known = self._cache.get(key)
        if known is not None and (
            resource.kind in OURS or known["metadata"].get("labels", {}).get(LABEL_PART_OF) == PART_OF
        ):
            return known
        if known is None and not live:
            return None
        found = await self._client.get(resource, key.namespace, key.name)
        if found is not None:
            self._cache.put(found, Source.ANSWER)
        elif known is not None:
            self._cache.drop(known, Source.ANSWER)
        return self._cache.get(key)

    def _related(self, model: type[R], namespace: str, name: str | None) -> R | None:
        """An object that a spec refers to by name; one that cannot be read counts as not there."""
        if name is None:
            return None
        manifest = self._cache.get(Key(model.declaration.kind, namespace, name))
        return _readable(model, manifest) if manifest is not None else None


def _readable(model: type[R], manifest: Manifest) -> R | None:
    try:
        return parse(model, manifest)
    except ValueError:
        return None


def _assignment(key: Key, resource: DriftPolicy, target: ModelDeployment | None) -> Assignment:
    spec = resource.spec
    stable = target.status.stable_revision if target is not None else None
    return Assignment(
        policy=key,
        uid=resource.metadata.uid,
        target=spec.target_ref.name,
        target_uid=target.metadata.uid if target is not None else None,
        profile_digest=stable.profile_digest if stable is not None else None,
        window=parse_duration(spec.window),
        scrape_interval=parse_duration(spec.scrape_interval),
        interval=parse_duration(spec.interval),
        config_map=window_config_map(resource),
    )
