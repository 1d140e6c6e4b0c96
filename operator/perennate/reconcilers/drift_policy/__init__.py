"""Decisions about DriftPolicies."""
