"""A private Docker engine for tests, with everything that kind needs on a machine without an image registry.

`python3 -m tests.kind -- COMMAND` runs a command with it, and `session.engine` does the same in Python. It runs
before `.venv` exists, so it uses only the standard library and `tools.cluster`.
"""
