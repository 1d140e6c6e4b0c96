"""Columns of rows as arrays, categories and value counts, and strict reading of JSON. Knows no profile."""
