"""This machine: running programs, rights, Debian packages, disk, ports, the cache. Nothing here knows a cluster."""
