"""The Go programs of the local cluster, compiled once into the cache."""

from __future__ import annotations

import os
from pathlib import Path

from tools.cluster.host import cache
from tools.cluster.host.commands import run
from tools.cluster.host.progress import step
from tools.cluster.programs import toolchain

#: The version that tools/cluster/programs/kube/go.mod pins, and that the components report.
KUBERNETES = (1, 35, 4)

SOURCES = Path(__file__).parent
_VERSION_PACKAGE = "k8s.io/component-base/version"


def _linker_flags() -> str:
    major, minor, patch = KUBERNETES
    values = {"gitVersion": f"v{major}.{minor}.{patch}", "gitMajor": str(major), "gitMinor": str(minor)}
    return " ".join(["-s", "-w", *(f"-X {_VERSION_PACKAGE}.{name}={value}" for name, value in values.items())])


def _compiled(module: str, *, linker_flags: str, hint: str) -> Path:
    source = SOURCES / module

    def build(target: Path) -> None:
        with step(f"compiling {module} ({hint} the first time)"):
            command = [
                "nice",
                toolchain.go(),
                "build",
                "-trimpath",
                "-buildvcs=false",
                "-ldflags",
                linker_flags,
                "-o",
                target,
                ".",
            ]
            run(command, what=f"compile {module}", cwd=source, env=toolchain.ENVIRONMENT)

    return cache.entry(module, cache.key(source, linker_flags, os.uname().machine), build)


def kube() -> Path:
    """Return the program that contains etcd and all Kubernetes components; its first argument selects the component."""
    return _compiled("kube", linker_flags=_linker_flags(), hint="about 10 minutes")


def dns() -> Path:
    """Return CoreDNS with only the plugins that a cluster needs."""
    return _compiled("dns", linker_flags="-s -w", hint="about a minute")


def pause() -> Path:
    """Return the pause program, which holds the namespaces of a pod."""
    return _compiled("pause", linker_flags="-s -w", hint="a few seconds")


def kind() -> Path:
    """Return kind, with the additional command `kind check-config FILE`, which only validates a configuration."""
    return _compiled("kind", linker_flags="-s -w", hint="half a minute")
