"""Decisions about objects, one folder per kind: pure functions from the observed state to a plan. No I/O."""
