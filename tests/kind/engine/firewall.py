"""Reads the rules of iptables and removes those of Docker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.cluster.host.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Marks of a rule of Docker: its chains, and its names for bridges.
_DOCKER = re.compile(r"\bDOCKER\b|\bdocker0\b|\bbr-[0-9a-f]{12}\b")
#: Tables of nftables that iptables creates.
_IPTABLES = re.compile(r"ip6? (?:filter|nat|mangle|raw|security)")
_FAMILIES = {"ip": "iptables", "ip6": "ip6tables"}


def rules() -> list[str]:
    """Return all rules, chains and policies as commands after family and table ("ip nat -A OUTPUT -j DOCKER").

    Built-in chains with the policy ACCEPT are omitted, because they have no effect without rules.
    """
    return [line for family, program in _FAMILIES.items() for line in parse(family, _saved(program))]


def _saved(program: str) -> str:
    return run([f"{program}-save"], what="read the firewall's rules")


def parse(family: str, saved: str) -> list[str]:
    """Return the lines of `rules` that are in the output of iptables-save."""
    found: list[str] = []
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith("-"):
            found.append(f"{family} {table} {line.strip()}")
        elif line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            if policy == "-":
                found.append(f"{family} {table} -N {chain}")
            elif policy != "ACCEPT":
                found.append(f"{family} {table} -P {chain} {policy}")
    return found


def tables() -> list[str]:
    """Return the tables of nftables, including those of iptables, as "family name"."""
    listing = run(["nft", "list", "tables"], what="list the firewall's tables")
    return [line.removeprefix("table ") for line in listing.splitlines()]


def isolate(network: str, bridge: str) -> None:
    """Reject packets from containers of `network` to other machines, except from containers on `bridge`.

    Image builds on Docker's own bridge need a package index. A kind cluster is on another bridge and needs nothing
    from outside. Without this rule, a request to a service that kube-proxy does not know yet would leave the machine.
    """
    options = ["--source", network, "!", "--destination", network, "!", "--in-interface", bridge, "--jump", "REJECT"]
    run(["iptables", "--wait", "--insert", "DOCKER-USER", *options], what="keep the cluster's traffic on this machine")


def restore(rules_before: Iterable[str], tables_before: Iterable[str]) -> None:
    """Remove the rules that Docker added, restore policies, and delete the tables that are empty then."""
    text = undo(rules_before, rules())
    for family, program in _FAMILIES.items():
        if text[family]:
            run([f"{program}-restore", "--noflush"], what="remove Docker's firewall rules", stdin=text[family])
    in_use = {" ".join(line.split()[:2]) for line in rules()}
    for table in set(tables()) - set(tables_before) - in_use:
        if _IPTABLES.fullmatch(table):
            run(["nft", "delete", "table", *table.split()], what=f"remove the empty firewall table {table}")


def undo(before: Iterable[str], after: Iterable[str]) -> dict[str, str]:
    """Return, for each family, the input of iptables-restore that removes what Docker added since `before`.

    Rules of other programs stay, including those added since.
    """
    old = set(before)
    commands: dict[tuple[str, str], list[str]] = {}
    chains: dict[tuple[str, str], list[str]] = {}
    for line in after:
        family, table, verb, *rest = line.split(" ")
        words = " ".join(rest)
        if line in old:
            continue
        if verb == "-P":
            was = _policy(old, f"{family} {table} -P {rest[0]}")
            commands.setdefault((family, table), []).append(f"-P {rest[0]} {was}")
        elif verb == "-A" and _DOCKER.search(words):
            commands.setdefault((family, table), []).append(f"-D {words}")
        elif verb == "-N" and _DOCKER.search(words):
            chains.setdefault((family, table), []).append(words)
    found = dict.fromkeys(_FAMILIES, "")
    for family, table in sorted(commands.keys() | chains.keys()):
        removed = [f"-X {chain}" for chain in chains.get((family, table), [])]
        lines = [f"*{table}", *commands.get((family, table), []), *removed, "COMMIT", ""]
        found[family] += "\n".join(lines)
    return found


def _policy(rules_before: set[str], start: str) -> str:
    """Return the policy that a built-in chain had: only others than ACCEPT are listed."""
    return next((line.split()[-1] for line in rules_before if line.startswith(f"{start} ")), "ACCEPT")
