"""The profile of the training data, its layout of cells, and the code that builds it."""
