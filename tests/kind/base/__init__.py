"""A replacement for python:3.11-slim-bookworm with its own name, for machines without access to an image registry."""
