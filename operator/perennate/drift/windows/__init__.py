"""Adding up, in the operator, what the pods counted, and what a window holds at one moment."""
