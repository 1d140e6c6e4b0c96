"""The serving process against `bentoml serve`, with the same model and in one interleaved run."""
