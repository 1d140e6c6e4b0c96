"""Decisions about ModelDeployments."""
