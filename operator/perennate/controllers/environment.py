"""What the environment says about this installation, read once through a mapping. Errors name key and value."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from perennate.kube.runtime.watching import STALE_SECONDS
from perennate.reconcilers.settings import Settings

T = TypeVar("T", bound=str)
AccessMode = Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"]
PullPolicy = Literal["Always", "IfNotPresent", "Never"]
_ACCESS_MODES: Final[tuple[AccessMode, ...]] = ("ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod")
_PULL_POLICIES: Final[tuple[PullPolicy, ...]] = ("Always", "IfNotPresent", "Never")
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
_PORTS: Final = range(65_536)
_STALE_SECONDS: Final = range(1, 86_401)


class WrongEnvironmentError(ValueError):
    """A variable of the environment is missing or wrong; the message names it, its value and what is allowed."""


@dataclass(frozen=True)
class Environment:
    """How this operator runs.

    Attributes:
        settings: what decisions need.
        namespace: where the Lease lies.
        identity: who we are in the Lease; unique among the operators of a cluster.
        log_level: least level that is logged.
        health_port, metrics_port: where the probes and Prometheus ask; 0 lets the system choose.
        leader_election: whether to act only while holding the Lease.
        stale_watch_seconds: how long a watch may be silent before the liveness probe fails. A live one is heard of once
            a minute, so a small value is for tests, where it is heard of more often.
    """

    settings: Settings
    namespace: str
    identity: str
    log_level: str
    health_port: int
    metrics_port: int
    leader_election: bool
    stale_watch_seconds: int


def read_environment(environ: Mapping[str, str]) -> Environment:
    """The environment as it is used.

    Raises:
        WrongEnvironmentError: a variable is missing or wrong.
    """
    return Environment(
        settings=Settings(
            trainer_image=_required(environ, "PERENNATE_TRAINER_IMAGE"),
            serving_image=_required(environ, "PERENNATE_SERVING_IMAGE"),
            store_size=environ.get("PERENNATE_STORE_SIZE") or Settings.store_size,
            store_class=environ.get("PERENNATE_STORE_CLASS") or None,
            store_access_mode=_choice(environ, "PERENNATE_STORE_ACCESS_MODE", _ACCESS_MODES, "ReadWriteOnce"),
            image_pull_policy=_choice(environ, "PERENNATE_IMAGE_PULL_POLICY", _PULL_POLICIES, "IfNotPresent"),
        ),
        namespace=environ.get("PERENNATE_NAMESPACE") or "default",
        identity=environ.get("PERENNATE_POD_NAME") or socket.gethostname(),
        log_level=_choice(environ, "PERENNATE_LOG_LEVEL", _LEVELS, "INFO", upper=True),
        health_port=_whole(environ, "PERENNATE_HEALTH_PORT", 8080, _PORTS, what="a port"),
        metrics_port=_whole(environ, "PERENNATE_METRICS_PORT", 8081, _PORTS, what="a port"),
        leader_election=_choice(environ, "PERENNATE_LEADER_ELECTION", ("true", "false"), "true") == "true",
        stale_watch_seconds=_whole(
            environ, "PERENNATE_STALE_WATCH_SECONDS", int(STALE_SECONDS), _STALE_SECONDS, what="a number of seconds"
        ),
    )


def _required(environ: Mapping[str, str], key: str) -> str:
    value = environ.get(key, "")
    if not value:
        raise WrongEnvironmentError(f"{key} is not set; set it to the image that pods of this kind run")
    return value


def _choice(environ: Mapping[str, str], key: str, allowed: tuple[T, ...], default: T, *, upper: bool = False) -> T:
    value = environ.get(key) or default
    value = value.upper() if upper else value
    if value not in allowed:
        raise WrongEnvironmentError(f"{key} must be one of {', '.join(allowed)}; got {value!r}")
    return value


def _whole(environ: Mapping[str, str], key: str, default: int, allowed: range, *, what: str) -> int:
    value = environ.get(key) or str(default)
    if not value.isdecimal() or int(value) not in allowed:
        raise WrongEnvironmentError(f"{key} must be {what} from {allowed[0]} to {allowed[-1]}; got {value!r}")
    return int(value)
