"""The traffic port: connections, bodies, compression, request ids and the access log. Nothing here knows the model."""
