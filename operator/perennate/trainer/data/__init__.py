"""The rows of a run: found, read, checked, joined, split, and passed to an estimator."""
