"""The model in memory, and the conversion of requests to its input."""
