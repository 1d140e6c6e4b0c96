"""Decisions about DriftPolicies. `evaluation` and `retraining` hold the two halves."""
