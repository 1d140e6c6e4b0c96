"""Windows, which add up the counts of all pods in the operator, and their content at one time."""
