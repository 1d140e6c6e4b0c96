"""`make demo`: the whole loop on real weather data, with a live view and checks at the end."""
