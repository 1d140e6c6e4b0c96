"""Our images without Docker: cache keys, builds with buildah, loading into containerd."""
