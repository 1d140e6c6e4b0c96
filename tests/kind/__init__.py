"""A Docker engine for tests, with all that kind needs, on machines that reach no image registry.

`python3 -m tests.kind -- COMMAND` runs a command with it; `session.engine` does the same for a block of Python. This
runs before `.venv` exists, so it uses the standard library and `tools.cluster` alone.
"""
