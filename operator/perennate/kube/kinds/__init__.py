"""The kinds that the operator reconciles: one file each, and the registry. Decisions are in `reconcilers`."""
