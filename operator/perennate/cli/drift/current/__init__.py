"""Current files: checks and readers of their columns, and the counts of their rows."""
