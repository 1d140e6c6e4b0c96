"""Objects as the operator keeps them: trimmed to what it reads, within a budget of memory for each namespace."""
