"""The images that kind and the project's Dockerfiles start from, built without a registry."""
