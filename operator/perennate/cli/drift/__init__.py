"""The command `perennate drift`: reads files, counts, judges, shows."""
