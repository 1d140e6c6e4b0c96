"""A stand-in for python:3.11-slim-bookworm, under a name of its own, for machines that reach no image registry."""
