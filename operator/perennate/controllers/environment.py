"""Settings from environment variables, read once from a mapping. Errors name the variable and its value."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from perennate.kube.intake.budget import MEBIBYTE, TOTAL
from perennate.kube.runtime.watching import STALE_SECONDS
from perennate.reconcilers.settings import InstallationSettings

T = TypeVar("T", bound=str)
AccessMode = Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"]
PullPolicy = Literal["Always", "IfNotPresent", "Never"]
_ACCESS_MODES: Final[tuple[AccessMode, ...]] = ("ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod")
_PULL_POLICIES: Final[tuple[PullPolicy, ...]] = ("Always", "IfNotPresent", "Never")
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
_PORTS: Final = range(65_536)
_CACHE_MEBIBYTES: Final = range(16, 65_537)
_STALE_SECONDS: Final = range(1, 86_401)
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class InvalidEnvironmentError(ValueError):
    """An environment variable is missing or invalid; the message names it, its value and what is allowed."""


@dataclass(frozen=True)
class Environment:
    """Settings of this operator.

    Attributes:
        settings: settings of the installation, for decisions.
        namespace: namespace of the Lease.
        watch_namespaces: the only namespaces in which objects are reconciled; empty: all.
        identity: name of this operator in the Lease; unique in a cluster.
        log_level: minimum level that is logged.
        health_port, metrics_port: ports of the probes and of the metrics; 0 lets the system choose.
        cache_mebibytes: memory for objects of all namespaces; one namespace gets a quarter of it at most.
        metrics_token_review: whether reading the metrics needs a bearer token with the right to get /metrics.
        leader_election: whether to reconcile only while holding the Lease.
        stale_watch_seconds: time without data on a watch after which the liveness probe fails. A live watch gets data
            once a minute; smaller values are for tests.
    """

    settings: InstallationSettings
    namespace: str
    watch_namespaces: tuple[str, ...]
    identity: str
    log_level: str
    health_port: int
    metrics_port: int
    cache_mebibytes: int
    metrics_token_review: bool
    leader_election: bool
    stale_watch_seconds: int


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Read the settings from environment variables.

    Raises:
        InvalidEnvironmentError: a variable is missing or invalid.
    """
    return Environment(
        settings=InstallationSettings(
            trainer_image=_required(environ, "PERENNATE_TRAINER_IMAGE"),
            serving_image=_required(environ, "PERENNATE_SERVING_IMAGE"),
            store_size=environ.get("PERENNATE_STORE_SIZE") or InstallationSettings.store_size,
            store_class=environ.get("PERENNATE_STORE_CLASS") or None,
            store_access_mode=_choice(environ, "PERENNATE_STORE_ACCESS_MODE", _ACCESS_MODES, "ReadWriteOnce"),
            image_pull_policy=_choice(environ, "PERENNATE_IMAGE_PULL_POLICY", _PULL_POLICIES, "IfNotPresent"),
        ),
        namespace=environ.get("PERENNATE_NAMESPACE") or "default",
        watch_namespaces=_namespaces(environ, "PERENNATE_WATCH_NAMESPACES"),
        identity=environ.get("PERENNATE_POD_NAME") or socket.gethostname(),
        log_level=_choice(environ, "PERENNATE_LOG_LEVEL", _LEVELS, "INFO", upper=True),
        health_port=_integer(environ, "PERENNATE_HEALTH_PORT", 8080, _PORTS, what="a port"),
        metrics_port=_integer(environ, "PERENNATE_METRICS_PORT", 8081, _PORTS, what="a port"),
        cache_mebibytes=_integer(
            environ, "PERENNATE_CACHE_MEBIBYTES", TOTAL // MEBIBYTE, _CACHE_MEBIBYTES, what="a number of MiB"
        ),
        metrics_token_review=_choice(environ, "PERENNATE_METRICS_TOKEN_REVIEW", ("true", "false"), "false") == "true",
        leader_election=_choice(environ, "PERENNATE_LEADER_ELECTION", ("true", "false"), "true") == "true",
        stale_watch_seconds=_integer(
            environ, "PERENNATE_STALE_WATCH_SECONDS", int(STALE_SECONDS), _STALE_SECONDS, what="a number of seconds"
        ),
    )


def _required(environ: Mapping[str, str], key: str) -> str:
    value = environ.get(key, "")
    if not value:
        raise InvalidEnvironmentError(f"{key} is not set; set it to the image of these pods")
    return value


def _namespaces(environ: Mapping[str, str], key: str) -> tuple[str, ...]:
    """The names in a list separated by commas, each once."""
    names = [name.strip() for name in environ.get(key, "").split(",") if name.strip()]
    for name in names:
        if not _NAMESPACE.fullmatch(name):
            raise InvalidEnvironmentError(
                f"{key} must be names of namespaces, separated by commas; got {name!r}. "
                "A name has at most 63 lower-case letters, digits and hyphens; patterns are not supported"
            )
    return tuple(dict.fromkeys(names))


def _choice(environ: Mapping[str, str], key: str, allowed: tuple[T, ...], default: T, *, upper: bool = False) -> T:
    value = environ.get(key) or default
    value = value.upper() if upper else value
    if value not in allowed:
        raise InvalidEnvironmentError(f"{key} must be one of {', '.join(allowed)}; got {value!r}")
    return value


def _integer(environ: Mapping[str, str], key: str, default: int, allowed: range, *, what: str) -> int:
    value = environ.get(key) or str(default)
    if not value.isdecimal() or int(value) not in allowed:
        raise InvalidEnvironmentError(f"{key} must be {what} from {allowed[0]} to {allowed[-1]}; got {value!r}")
    return int(value)
