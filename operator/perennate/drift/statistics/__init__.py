"""Statistical tests and distances between two tables of counts. Nothing here uses windows or thresholds."""
