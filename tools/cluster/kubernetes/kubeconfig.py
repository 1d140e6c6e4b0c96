"""Kubeconfig files, written as JSON (a subset of YAML), so that the standard library is enough."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tools.cluster.kubernetes.pki import Identity


def write(path: Path, *, name: str, server: str, pki: Path, user: Identity) -> None:
    """Write a kubeconfig for `server` and `user` with embedded certificates and key, readable only by its owner.

    Args:
        path: the file.
        name: name of the cluster and of the context.
        server: URL of the API server.
        pki: folder with `ca.crt` and the user's certificate and key.
        user: the identity with the client certificate.
    """

    def embedded(file: str) -> str:
        return base64.b64encode((pki / file).read_bytes()).decode()

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": embedded("ca.crt")}}],
        "users": [
            {
                "name": user.name,
                "user": {
                    "client-certificate-data": embedded(f"{user.name}.crt"),
                    "client-key-data": embedded(f"{user.name}.key"),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user.name}}],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(document, indent=2) + "\n")
