"""The programs in the node image, compiled once into the cache."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.host import cache
from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import step
from tools.cluster.programs import compiled, toolchain

#: The version of the sources.
KUBERNETES = ".".join(map(str, compiled.KUBERNETES))
_KUBE = compiled.SOURCES / "kube"
_MODULES = Path(__file__).parent / "go"
#: Our module -> the package that it compiles.
_PACKAGES = {
    "crictl": "sigs.k8s.io/cri-tools/cmd/crictl",
    "local-path-provisioner": "github.com/rancher/local-path-provisioner",
}
_PLAIN = "-s -w"


@dataclass(frozen=True, slots=True)
class Programs:
    """Static programs. Each is a file in the cache, and its name contains a hash of its sources.

    Attributes:
        kubernetes: the version that `kube` reports, without a "v".
        kube: all Kubernetes components and etcd; the program name selects one.
        coredns: the name service.
        pause: keeps a pod's namespaces open.
        crictl: lets `kind load` see which images a node holds.
        provisioner: creates volumes from folders of the node.
    """

    kubernetes: str
    kube: Path
    coredns: Path
    pause: Path
    crictl: Path
    provisioner: Path

    def all(self) -> list[Path]:
        """Return all files."""
        return [self.kube, self.coredns, self.pause, self.crictl, self.provisioner]


def compile_all(kubernetes: str = KUBERNETES) -> Programs:
    """Compile the programs that are missing in the cache.

    Args:
        kubernetes: the version that the components report. It may differ from that of the sources, to test kind and
            kubeadm with another version.
    """
    return Programs(
        kubernetes=kubernetes,
        kube=compiled.kube() if kubernetes == KUBERNETES else _kube_as(kubernetes),
        coredns=compiled.dns(),
        pause=compiled.pause(),
        crictl=_build("crictl"),
        provisioner=_build("local-path-provisioner"),
    )


def _kube_as(kubernetes: str) -> Path:
    """Return the Kubernetes program linked with another version. The compiler caches all but the link step."""
    return compile_module("kube", _KUBE, ".", version_flags(kubernetes))


def version_flags(kubernetes: str) -> str:
    """Return the linker's flags for a version like "1.37.0".

    Raises:
        ClusterError: it is none.
    """
    found = re.fullmatch(r"(\d+)\.(\d+)\.\d+", kubernetes)
    if found is None:
        raise ClusterError(f"A version of Kubernetes is written like {KUBERNETES}, not {kubernetes!r}.")
    values = {"gitVersion": f"v{kubernetes}", "gitMajor": found[1], "gitMinor": found[2]}
    return " ".join([_PLAIN, *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())])


def _build(module: str) -> Path:
    return compile_module(module, _MODULES / module, _PACKAGES[module], _PLAIN)


def compile_module(name: str, source: Path, package: str, flags: str) -> Path:
    """Return the program that `package` of the Go module at `source` is, compiled with the linker flags `flags`."""

    def build(target: Path) -> None:
        command = [
            "nice",
            toolchain.go(),
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            flags,
            "-o",
            target,
            package,
        ]
        with step(f"compiling {name} (a minute the first time)"):
            run(command, what=f"compile {name}", cwd=source, env=toolchain.ENVIRONMENT)

    return cache.entry(name, cache.key(source, package, flags, os.uname().machine), build)
