"""The Open Inference Protocol (v2) over HTTP, from the bytes of a request to those of its response."""
