"""The provider `kind`: one node in a container, on machines with a Docker engine."""
