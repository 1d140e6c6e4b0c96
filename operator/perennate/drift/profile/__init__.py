"""The profile of the training data: its parts, its layout of cells, and how it is built."""
