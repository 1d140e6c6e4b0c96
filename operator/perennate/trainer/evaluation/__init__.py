"""Evaluation of a model on the hold-out rows: metrics, gates, comparison, profile and card."""
