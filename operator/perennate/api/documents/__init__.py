"""Documents in the store and in pods, each with its own format version. None depends on a version of the API."""
