"""Predictions and true labels: how they are read and counted."""
