"""Recording of traffic: counts for drift, captured rows and labels, and the ids that join them."""
