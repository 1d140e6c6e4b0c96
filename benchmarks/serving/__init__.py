"""Benchmark of the serving process against BentoML and MLServer, with the same model, in interleaved rounds."""
