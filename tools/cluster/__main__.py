"""Command line: `python3 -m tools.cluster {up,down,status,...}`. Run it from the root of the checkout."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from tools.cluster import provider
from tools.cluster.host import cache
from tools.cluster.host.commands import succeeds
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import echo
from tools.cluster.images import images
from tools.cluster.instance import Instance
from tools.cluster.programs import clients, compiled

if TYPE_CHECKING:
    from tools.cluster.provider import Cluster

#: Environment variables that sudo would drop: our settings, and those of package indexes and proxies.
_KEPT = (
    "PERENNATE_",
    "PROVIDER",
    "PIP_",
    "SSL_CERT",
    "REQUESTS_CA",
    "GOPROXY",
    "GONOSUMDB",
    "GOFLAGS",
    "XDG_CACHE_HOME",
    "HOME",
    "PATH",
)
#: Commands that also work while the cluster is stopped.
_NEED_NO_CLUSTER = {"kubeconfig", "bin"}
_NEED_ROOT = {"up", "down", "status", "images", "load", "audit-log", "node"}


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.cluster", description="Local Kubernetes cluster for tests and the demo."
    )
    default = os.environ.get("PERENNATE_CLUSTER", "default")
    parser.add_argument(
        "--name", default=default, help="name of the cluster, unique per checkout (environment: PERENNATE_CLUSTER)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("up", help="start the cluster unless it is running; print the command that sets KUBECONFIG")
    commands.add_parser("down", help="stop the cluster and remove all its resources")
    commands.add_parser("status", help="print whether the cluster is healthy (exit code 0) or not (1)")
    commands.add_parser("kubeconfig", help="print the path of the kubeconfig")
    commands.add_parser("audit-log", help="print the audit log of the API server, one event per line")
    commands.add_parser("bin", help="print the folder with kubectl and helm; create it if it is missing")
    node = commands.add_parser("node", help="run a program on the node")
    node.add_argument("words", nargs=argparse.REMAINDER, metavar="PROGRAM [ARGUMENT ...]")
    build = commands.add_parser("images", help="build images, and load them if the cluster is running")
    load = commands.add_parser("load", help="load images that are already built into the cluster")
    for command in (build, load):
        command.add_argument("image", nargs="*", help=f"images to process: {', '.join(images.IMAGES)} (default: all)")
    commands.add_parser("programs", help="compile and download everything that `up` needs, without starting a cluster")
    return parser.parse_args(words)


def _under_sudo(chosen: Cluster, command: str, words: list[str]) -> int | None:
    """Run the command with passwordless sudo if it needs root. Return its exit code, or None if it was not run."""
    if chosen.provider != "packages" or command not in _NEED_ROOT or os.geteuid() == 0:
        return None
    if not succeeds(["sudo", "--non-interactive", "true"]):
        return None
    kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(_KEPT)]
    kept += [f"PERENNATE_CACHE={cache.root()}", f"{provider.VARIABLE}={chosen.provider}"]
    return subprocess.call(["sudo", "--non-interactive", "env", *kept, sys.executable, "-m", "tools.cluster", *words])


def _status(chosen: Cluster) -> int:
    problem = chosen.problem()
    echo(f"{chosen.instance.id} ({chosen.provider}): {problem or 'healthy'}")
    return 1 if problem else 0


def _run(chosen: Cluster, arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "up":
            chosen.up()
            print(f"export KUBECONFIG={shlex.quote(str(chosen.kubeconfig))}")
        case "down":
            chosen.down()
        case "images":
            chosen.build_images(arguments.image or images.IMAGES)
        case "load":
            chosen.load_images(arguments.image or images.IMAGES)
        case "status":
            return _status(chosen)
        case "kubeconfig":
            print(chosen.kubeconfig)
        case "audit-log":
            print(chosen.on_node("cat", chosen.audit_log), end="")
        case "node":
            print(chosen.on_node(*arguments.words), end="")
        case "bin":
            print(chosen.programs())
    return 0


def _compile() -> int:
    """Compile the programs of a cluster from packages. The control plane of the tests uses the same programs."""
    compiled.dns()
    compiled.pause()
    clients.compiled_kubectl()
    return 0


def main(words: list[str]) -> int:
    """Run one command and return the exit code. An error is printed in one sentence."""
    arguments = _arguments(words)
    try:
        if arguments.command == "programs":
            return _compile()
        chosen = provider.cluster(Instance.of(arguments.name), use=arguments.command not in _NEED_NO_CLUSTER)
        code = _under_sudo(chosen, arguments.command, words)
        return _run(chosen, arguments) if code is None else code
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
