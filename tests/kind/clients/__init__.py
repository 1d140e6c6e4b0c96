"""Docker clients newer than Debian's, compiled from their Go modules: what most users type `docker` with."""
