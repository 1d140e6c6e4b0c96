"""The control plane as processes, with a node and without: flags, certificates, kubeconfigs, a small API client."""
