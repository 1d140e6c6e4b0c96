"""What is kept of traffic: counts, captured rows, labels, and the ids that join them."""
