"""Metrics of a model with standard errors, from counts of labels or sums of residuals."""
