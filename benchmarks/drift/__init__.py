"""The drift engine against other tools, each in an environment of its own, in one interleaved run."""
