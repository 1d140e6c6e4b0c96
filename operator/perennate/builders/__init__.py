"""Manifests of child objects: pure and deterministic, one module for each kind of owner."""
