"""Tests and distances between two tables of counts. Knows no window and no threshold."""
