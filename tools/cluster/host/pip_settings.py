"""The pip settings of this machine, as a configuration that works inside an image build."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.cluster.host.commands import run

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where the build mounts the certificate bundle.
CERTIFICATES = "/run/secrets/certificates"

_LINE = re.compile(r"^[^.]+\.(?P<key>[a-z-]+)='(?P<value>.*)'$")
#: The settings that locate the package index. `find-links` and `cert` are excluded: they name files of the host.
_KEYS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")


@dataclass(frozen=True, slots=True)
class PipSettings:
    """Settings for one build.

    Attributes:
        configuration: content of a `pip.conf`.
        certificates: path of the host's CA bundle, or None for pip's default.
    """

    configuration: str
    certificates: str | None


def parse(listing: str, environment: Mapping[str, str]) -> PipSettings:
    """Return the settings from `listing`, the output of `pip config list`, and from the environment.

    Environment variables override configuration files, as in pip.
    """
    lines = [found for line in listing.splitlines() if (found := _LINE.match(line))]
    lines.sort(key=lambda found: found[0].startswith(":env:"))
    values = {found["key"]: found["value"] for found in lines}
    bundle = values.get("cert") or environment.get("SSL_CERT_FILE") or environment.get("REQUESTS_CA_BUNDLE")
    kept = [f"{key} = {values[key]}" for key in _KEYS if key in values]
    if bundle:
        kept.append(f"cert = {CERTIFICATES}")
    return PipSettings("\n".join(["[global]", *kept, ""]), bundle)


def from_pip() -> PipSettings:
    """Return the settings of this interpreter's pip."""
    return parse(run([sys.executable, "-m", "pip", "config", "list"], what="read pip's settings"), os.environ)
