"""The skops format: saving, auditing and loading scikit-learn estimators without running code of the file."""
