"""Preconditions of watching a target. Ready reports the first violation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.v1alpha1.drift_policy import Reason
from perennate.reconcilers.chain import Chain, Violation
from perennate.reconcilers.wording import pluralize, truncate

if TYPE_CHECKING:
    from perennate.reconcilers.drift_policy.observed import DriftPolicyObserved


def not_suspended(observed: DriftPolicyObserved) -> Violation | None:
    """spec.suspend is false."""
    if not observed.resource.spec.suspend:
        return None
    return Violation(Reason.SUSPENDED, "spec.suspend is true: nothing is scraped or evaluated")


def target_exists(observed: DriftPolicyObserved) -> Violation | None:
    """The target exists."""
    if observed.target is not None:
        return None
    name, namespace = observed.resource.spec.target_ref.name, observed.resource.metadata.namespace
    return Violation(
        Reason.TARGET_NOT_FOUND,
        f'spec.targetRef.name: ModelDeployment "{name}" does not exist in namespace "{namespace}"; '
        "create it or correct the name",
    )


def target_serves(observed: DriftPolicyObserved) -> Violation | None:
    """The target has a stable revision."""
    if observed.target is None or observed.target.status.stable_revision is not None:
        return None
    name = observed.target.metadata.name
    return Violation(Reason.TARGET_NOT_SERVING, f'ModelDeployment "{name}" serves no version yet')


def reference_is_known(observed: DriftPolicyObserved) -> Violation | None:
    """The reference profile of the served version is known."""
    if observed.state.profile is not None:
        return None
    if observed.state.profile_error is None:
        return Violation(Reason.REFERENCE_AWAITED, "the reference profile has not been fetched yet")
    error = truncate(observed.state.profile_error, 400)
    return Violation(Reason.REFERENCE_UNAVAILABLE, f"there is no reference profile: {error}")


def pods_answer(observed: DriftPolicyObserved) -> Violation | None:
    """At least one pod responded to the last scrape, unless there are no ready pods."""
    if observed.state.pods_total == 0 or observed.state.pods_answering > 0:
        return None
    errors = "; ".join(observed.state.errors[:3])
    pods = pluralize(observed.state.pods_total, "pod")
    return Violation(Reason.SCRAPE_FAILED, truncate(f"none of {pods} responded to the last scrape: {errors}"))


WATCHING: Final = Chain((not_suspended, target_exists, target_serves, reference_is_known, pods_answer))
"""While one of these is violated there is no verdict, and so neither alarm nor retraining."""
