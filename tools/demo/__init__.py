"""`make demo`: the whole loop on real weather data, watched live and judged at the end."""
