"""The rows of a run: found, read, checked, joined, split, and handed to an estimator."""
