"""A private Docker engine: start it, stop it, and prove that the host is as it was before."""
