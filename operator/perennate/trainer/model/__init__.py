"""The estimator of a run: built from the spec, and what it goes by."""
