"""The command `perennate drift`: reads files, counts rows, evaluates drift and writes the report."""
