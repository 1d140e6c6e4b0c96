"""The stages that run in a training pod: prepare, train, publish."""
