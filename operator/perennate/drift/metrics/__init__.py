"""Metrics of a model with their standard errors, from counts of labels or residuals alone."""
