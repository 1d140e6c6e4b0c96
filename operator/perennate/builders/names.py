"""The only place where the name of a child is formed. Names are deterministic and at most 63 characters long."""

from __future__ import annotations

import hashlib
from typing import Final

NAME_LIMIT: Final = 63
"""Longest DNS label, and longest value of a label."""
_HASH_LENGTH: Final = 8


def short_hash(text: str) -> str:
    """The first 8 hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]


def child_name(owner: str, suffix: str) -> str:
    """`<owner>-<suffix>`, cut to 63 characters; a cut name carries a hash of the whole owner: no two owners meet."""
    whole = f"{owner}-{suffix}"
    if len(whole) <= NAME_LIMIT:
        return whole
    ending = f"-{short_hash(owner)}-{suffix}"
    return owner[: NAME_LIMIT - len(ending)].rstrip("-.") + ending


def label_value(name: str) -> str:
    """The name as the value of a label: itself, or its cut and hashed form when it is too long."""
    if len(name) <= NAME_LIMIT:
        return name
    return name[: NAME_LIMIT - _HASH_LENGTH - 1].rstrip("-.") + f"-{short_hash(name)}"


def run_job(training_job: str, *, uid: str, attempt: int) -> str:
    """Name of the Job of one attempt of a TrainingJob. A namesake created later has another uid, hence other Jobs."""
    return child_name(training_job, short_hash(f"{uid}/{attempt}"))


def episode_training_job(policy: str, *, uid: str, number: int) -> str:
    """Name of the TrainingJob of one episode of a DriftPolicy."""
    return child_name(policy, short_hash(f"{uid}/{number}"))


def window_config_map(policy: str, *, uid: str) -> str:
    """Name of the ConfigMap that keeps the window of a DriftPolicy. A namesake created later has one of its own."""
    return child_name(policy, f"window-{short_hash(uid)}")


def serving_deployment(model_deployment: str) -> str:
    """Name of the Deployment of a ModelDeployment."""
    return model_deployment


def serving_service(model_deployment: str) -> str:
    """Name of the Service of a ModelDeployment."""
    return model_deployment
