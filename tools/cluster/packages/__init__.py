"""The provider `packages`: one node from compiled programs and Debian packages, in namespaces of its own."""
