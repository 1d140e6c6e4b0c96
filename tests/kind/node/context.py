"""The build context of the node's Dockerfile: programs, root file system, and additional files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import cache
from tools.cluster.host.commands import run
from tools.cluster.host.progress import step

if TYPE_CHECKING:
    from tests.kind.node.kind_module import KindModule
    from tests.kind.node.programs import Programs

_HERE = Path(__file__).parent
DOCKERFILE = _HERE / "Dockerfile"
_OWN_FILES = _HERE / "files"
_COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)
_PACKAGES = (
    "bash,ca-certificates,conntrack,containerd,containernetworking-plugins,curl,dbus,e2fsprogs,ethtool,iproute2,iptables,"
    "jq,kmod,libseccomp2,mount,nftables,pigz,procps,runc,socat,systemd,util-linux"
)
_ROOT_COMMAND = (
    "mmdebstrap",
    "--variant=minbase",
    f"--include={_PACKAGES}",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "bookworm",
)


def root() -> Path:
    """Return the Debian root file system of node and helper images, a tar file in the cache."""

    def build(target: Path) -> None:
        with step("making the node's root file system of Debian packages (about half a minute)"):
            # The program derives the format from the name.
            archive = target.with_suffix(".tar")
            run([*_ROOT_COMMAND, archive], what="make the node's root file system")
            archive.rename(target)

    return cache.entry("node-root", cache.key(*_ROOT_COMMAND), build)


def assemble(target: Path, programs: Programs, kind: KindModule, *, restrict_oom_score: bool) -> None:
    """Fill the folder `target`.

    Args:
        target: an empty folder on the disk of the cache, because large files are linked, not copied.
        programs: the programs of the images.
        kind: the source of the node's files.
        restrict_oom_score: let containerd skip scores that the kernel of this machine would reject.
    """
    (target / "root.tar").hardlink_to(root())
    for name, program in (
        ("pause", programs.pause),
        ("coredns", programs.coredns),
        ("crictl", programs.crictl),
        ("local-path-provisioner", programs.provisioner),
    ):
        (target / name).hardlink_to(program)
    (target / "kube").mkdir()
    (target / "kube/kube").hardlink_to(programs.kube)
    for name in _COMPONENTS:
        (target / "kube" / name).symlink_to("kube")
    overlay = target / "overlay"
    _copy(kind.files, overlay)
    _copy(_OWN_FILES, overlay)
    (overlay / "kind/version").write_text(f"v{programs.kubernetes}")
    (overlay / "kind/manifests/default-storage.yaml").write_text(kind.storage().manifest)
    if restrict_oom_score:
        _restrict_oom_score(overlay / "etc/containerd/config.toml")


def _copy(source: Path, target: Path) -> None:
    """Copy a tree with the file modes that kind's Dockerfile sets. The module cache does not keep modes."""
    for path in source.rglob("*"):
        if path.is_file():
            copied = target / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
            copied.chmod(0o755 if copied.parent.name == "bin" else 0o644)


def _restrict_oom_score(configuration: Path) -> None:
    text = configuration.read_text()
    configuration.write_text(text.replace("restrict_oom_score_adj = false", "restrict_oom_score_adj = true"))
