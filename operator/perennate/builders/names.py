"""Names of child objects. They are deterministic and have at most 63 characters."""

from __future__ import annotations

import hashlib
from typing import Final

NAME_LIMIT: Final = 63
"""Maximum length of a DNS label and of a label value."""
_HASH_LENGTH: Final = 8


def short_hash(text: str) -> str:
    """The first 8 hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]


def child_name(owner: str, suffix: str) -> str:
    """`<owner>-<suffix>`, at most 63 characters. A truncated name has a hash of the owner, so that it stays unique."""
    whole = f"{owner}-{suffix}"
    if len(whole) <= NAME_LIMIT:
        return whole
    ending = f"-{short_hash(owner)}-{suffix}"
    return owner[: NAME_LIMIT - len(ending)].rstrip("-.") + ending


def label_value(name: str) -> str:
    """The name as a label value, truncated and hashed if it is too long."""
    if len(name) <= NAME_LIMIT:
        return name
    return name[: NAME_LIMIT - _HASH_LENGTH - 1].rstrip("-.") + f"-{short_hash(name)}"


def run_job(training_job: str, *, uid: str, attempt: int) -> str:
    """Name of the Job of an attempt of a TrainingJob. It depends on the uid, because a name can be used again."""
    return child_name(training_job, short_hash(f"{uid}/{attempt}"))


def episode_training_job(policy: str, *, uid: str, number: int) -> str:
    """Name of the TrainingJob of an episode of a DriftPolicy."""
    return child_name(policy, short_hash(f"{uid}/{number}"))


def drift_window(policy: str, *, uid: str) -> str:
    """Name of the DriftWindow of a DriftPolicy. It depends on the uid, as names can be used again."""
    return child_name(policy, f"window-{short_hash(uid)}")


def serving_deployment(model_deployment: str) -> str:
    """Name of the Deployment of a ModelDeployment."""
    return model_deployment


def serving_service(model_deployment: str) -> str:
    """Name of the Service of a ModelDeployment."""
    return model_deployment
