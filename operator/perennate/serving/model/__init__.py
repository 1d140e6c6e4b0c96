"""The model in memory, and the rows that it takes."""
