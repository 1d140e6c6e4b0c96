"""File formats of models, one folder each."""
