"""perennate keeps machine-learning models alive on Kubernetes."""
