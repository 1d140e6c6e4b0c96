"""The provider `packages`: one node from compiled programs and Debian packages, in its own namespaces."""
