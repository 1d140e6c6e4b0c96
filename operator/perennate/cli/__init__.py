"""The command line. `perennate drift` tests files and counts documents for drift, without a cluster."""
