"""A local Kubernetes cluster for tests and the demo, with two providers: kind (needs a Docker engine) and packages.

`provider.cluster` selects `kind.cluster.KindCluster` or `packages.cluster.PackagesCluster`. Tests also use
`kubernetes.control_plane.ControlPlane`: etcd, API server and controller manager on free local ports, without a node.

Standard library only, because it runs before a virtual environment exists. Entry point: `python3 -m tools.cluster`.
"""
