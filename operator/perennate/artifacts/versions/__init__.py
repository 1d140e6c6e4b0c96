"""Model versions in the store: publish, read, verify and load them, with the registry of model formats."""
