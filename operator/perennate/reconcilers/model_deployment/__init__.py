"""Decisions about ModelDeployments: choice of the version, rollout, rejection, status."""
