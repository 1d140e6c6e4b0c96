"""The drift report: as a JSON document, as tables on a terminal, and as an HTML page. Nothing here reads data files."""
