"""The JSON log format: one object per line."""

from __future__ import annotations

import json
import logging
import sys

from perennate.telemetry.logs import JsonFormatter


def test_a_record_is_one_line_of_json_with_its_exception() -> None:
    """Line breaks in a message or a traceback are escaped, so that they cannot forge a log line."""
    try:
        int("bad\nworse")
    except ValueError:
        information = sys.exc_info()
    record = logging.LogRecord("perennate.kube", logging.WARNING, "f", 1, "a\n%s", ("b",), information)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    document = json.loads(line)
    assert (document["level"], document["logger"], document["message"]) == ("warning", "perennate.kube", "a\nb")
    assert "ValueError: invalid literal" in document["exception"]
