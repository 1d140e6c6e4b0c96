"""A real Kubernetes for tests and the demo: kind where a Docker engine answers, else the same components from packages.

Two levels share one implementation of certificates and component flags:

* a whole node (`local.LocalCluster`): containerd, kubelet, kube-proxy and CoreDNS in namespaces of their own;
* a control plane without nodes (`controlplane.ControlPlane`): etcd, API server, controller manager on free local ports.

Standard library only: it runs before any virtual environment exists. Entry point: `python3 -m tools.cluster`.
"""
