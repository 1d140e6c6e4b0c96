"""A real Kubernetes for tests and the demo: kind where a Docker engine answers, else the same components from packages.

`provider.cluster` chooses `kind.cluster.KindCluster` or `packages.cluster.PackagesCluster`. Tests also use
`kubernetes.control_plane.ControlPlane`: etcd, API server and controller manager on free local ports, without a node.

Standard library only: it runs before any virtual environment exists. Entry point: `python3 -m tools.cluster`.
"""
