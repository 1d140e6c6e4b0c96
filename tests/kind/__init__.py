"""A private Docker engine for tests, with everything that kind needs on a machine without an image registry.

`python3 -m tests.kind -- COMMAND` runs a command with it; `session.engine` does the same in Python. It runs before
`.venv` exists, so it uses the standard library and `tools.cluster` only.
"""
