"""The images that kind and the project's Dockerfiles start from, made without any registry."""
