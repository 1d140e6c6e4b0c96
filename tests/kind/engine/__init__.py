"""A private Docker engine: start it, stop it, and check that the host is restored."""
