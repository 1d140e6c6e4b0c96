"""Generators of the repository's generated files, and the scripts behind the Makefile. Not part of the package."""
