"""The project's images as files: what decides their content, building with buildah, loading into containerd."""
