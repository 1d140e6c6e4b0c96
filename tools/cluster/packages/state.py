"""The persisted state of a cluster: one JSON file in its state folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tools.cluster.host.processes import ProcessId
from tools.cluster.instance import Instance, Slice

if TYPE_CHECKING:
    from pathlib import Path

import ipaddress

_FILE = "state.json"


@dataclass(frozen=True, slots=True)
class State:
    """A local cluster that was started, at least partly.

    Attributes:
        name: the instance's name.
        digest: the instance's digest.
        network: its slice of addresses, such as "198.18.0.0/20".
        program: the compiled Kubernetes program.
        process: the process that holds the node's namespaces; None before the start.
    """

    name: str
    digest: str
    network: str
    program: str
    process: ProcessId | None = None

    @property
    def instance(self) -> Instance:
        """The instance."""
        return Instance(name=self.name, digest=self.digest)

    @property
    def addresses(self) -> Slice:
        """Its addresses."""
        return Slice(ipaddress.IPv4Network(self.network))

    def save(self, folder: Path) -> None:
        """Write this state into `folder`, atomically."""
        scratch = folder / f".{_FILE}"
        scratch.write_text(json.dumps(asdict(self)))
        scratch.rename(folder / _FILE)


def load(folder: Path) -> State | None:
    """Read the state in `folder`; None if there is none or it cannot be read."""
    try:
        document = json.loads((folder / _FILE).read_text())
        process = ProcessId(**document.pop("process")) if document["process"] else document.pop("process")
        return State(**document, process=process)
    except (OSError, ValueError, KeyError, TypeError):
        return None
