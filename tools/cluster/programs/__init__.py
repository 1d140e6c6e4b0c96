"""The programs that clusters are made of or used by: compiled from Go modules, or fetched, into the cache."""
