"""The provider `kind`: one node in a container, for machines with a Docker engine."""
