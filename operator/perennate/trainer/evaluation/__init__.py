"""Judging a model on the hold-out rows, and what is written down about it."""
