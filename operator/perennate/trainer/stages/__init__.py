"""The three stages of a training run: prepare, train, publish. What they have in common lies beside."""
