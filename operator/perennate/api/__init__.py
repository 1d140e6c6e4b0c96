"""The three kinds and the documents that pods exchange: frozen models, no I/O."""
