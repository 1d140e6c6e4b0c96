"""The stages of a training run: prepare, train, publish. Code that they share is in the packages beside."""
