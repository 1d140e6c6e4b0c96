"""Benchmark of the serving process against `bentoml serve`, with the same model, in interleaved rounds."""
