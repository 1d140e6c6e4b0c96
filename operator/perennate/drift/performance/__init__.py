"""The verdict on the performance of a model in a window, measured with labels or estimated without."""
