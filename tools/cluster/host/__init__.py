"""The host: subprocesses, privileges, Debian packages, disk space, ports, the cache.

Nothing here depends on a cluster.
"""
