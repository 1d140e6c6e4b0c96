"""The programs of a cluster and its clients, compiled from Go modules or downloaded into the cache."""
