"""The estimator of a run: building it from the spec, and its feature importance."""
