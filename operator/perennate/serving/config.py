"""The settings of a serving pod, read once from its environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perennate.api.documents.document import InvalidDocumentError
from perennate.api.documents.serving_config import ServingConfig
from perennate.api.wellknown import (
    CAPTURE_DIR,
    ENV_SERVING,
    FEEDBACK_DIR,
    KEY_DIR,
    MODEL_DIR,
    OPERATIONS_PORT,
    STORE_DIR,
    TRAFFIC_PORT,
)
from perennate.serving.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_ADDRESS: Final = ""
HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True)
class ServingSettings:
    """What `fetch` and `serve` read from their environment.

    Args:
        serving: the version to serve and the capture settings, from PERENNATE_SERVING.
        store_dir: root of the store; mounted only for `fetch`.
        model_dir: folder of the verified copy of the version.
        key_dir: folder of the key of the model line, which `fetch` writes.
        feedback_dir: folder of the token of `/feedback`; used only with a token.
        capture_dir: folder for captured rows; used only with capture.
        pod: name of the pod; part of the names of captured files.
        host: address to listen on; empty means all, IPv4 and IPv6.
        traffic_port, operations_port: ports of the two servers.
    """

    serving: ServingConfig
    store_dir: Path
    model_dir: Path
    key_dir: Path
    feedback_dir: Path
    capture_dir: Path
    pod: str
    host: str
    traffic_port: int
    operations_port: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> ServingSettings:
        """Read the environment. Every variable but PERENNATE_SERVING has a default.

        Raises:
            ConfigError: a variable is missing or invalid.
        """
        return cls(
            serving=_serving(environment),
            store_dir=Path(environment.get("PERENNATE_STORE_DIR", STORE_DIR)),
            model_dir=Path(environment.get("PERENNATE_MODEL_DIR", MODEL_DIR)),
            key_dir=Path(environment.get("PERENNATE_KEY_DIR", KEY_DIR)),
            feedback_dir=Path(environment.get("PERENNATE_FEEDBACK_DIR", FEEDBACK_DIR)),
            capture_dir=Path(environment.get("PERENNATE_CAPTURE_DIR", CAPTURE_DIR)),
            pod=environment.get("POD_NAME", "local"),
            host=environment.get("PERENNATE_HOST", ANY_ADDRESS),
            traffic_port=_port(environment, "PERENNATE_TRAFFIC_PORT", TRAFFIC_PORT),
            operations_port=_port(environment, "PERENNATE_OPERATIONS_PORT", OPERATIONS_PORT),
        )


def _serving(environment: Mapping[str, str]) -> ServingConfig:
    text = environment.get(ENV_SERVING)
    if text is None:
        raise ConfigError(f"{ENV_SERVING} is not set; it must hold JSON of the schema perennate.dev/serving/v1")
    try:
        return ServingConfig.read(text)
    except InvalidDocumentError as error:
        raise ConfigError(f"{ENV_SERVING}: {error}") from error


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT:
        raise ConfigError(f"{name} must be a port from 1 to {HIGHEST_PORT}, got {text!r}")
    return int(text)
