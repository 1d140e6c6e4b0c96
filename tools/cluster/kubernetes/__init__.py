"""The control plane as processes, with or without a node: flags, certificates, kubeconfigs, a small API client."""
