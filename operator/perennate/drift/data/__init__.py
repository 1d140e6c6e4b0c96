"""Columns as arrays, categories, value counts, and validation of JSON documents. Nothing here uses a profile."""
