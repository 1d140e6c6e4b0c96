"""Names from files cannot control a terminal, and are not interpreted as Markdown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from perennate.text import code_span, markdown, printable, shortened

PARSER = MarkdownIt("gfm-like", {"linkify": False})
HOSTILE = [
    "a`<img src=x onerror=alert(1)>`b",
    "``[x](javascript:alert(1))",
    "<script>alert(1)</script>",
    "![x](http://evil.example/a.png)",
    "[x]: http://evil.example",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202egpj.exe",
    "a | b",
    "\\",
    "`",
    " ` ",
    "~~gone~~ **loud** _lean_",
    "a\nb\r\nc\u2028d",
    "&lt;b&gt;",
    "",
]


def kinds(text: str) -> list[str]:
    """The kinds of the parts of one paragraph."""
    found: list[Any] = PARSER.parse(f"Name {text} ends.")
    assert [token.type for token in found] == ["paragraph_open", "inline", "paragraph_close"]
    return [child.type for child in found[1].children]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_code_span_is_code_and_nothing_else(name: str) -> None:
    assert kinds(code_span(name)) == ["text", "code_inline", "text"]


@pytest.mark.parametrize("name", HOSTILE)
def test_escaped_text_is_text_and_nothing_else(name: str) -> None:
    assert set(kinds(markdown(name))) <= {"text", "text_special"}


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_name_is_code_and_text(name: str) -> None:
    assert kinds(code_span(name)) == ["text", "code_inline", "text"]
    assert set(kinds(markdown(name))) <= {"text", "text_special"}
    assert printable(name).isprintable()


def test_names_that_can_be_printed_stay_as_they_are() -> None:
    for name in ("Höhe (m)", "価格", "a_b-c.d", "x" * 60):
        assert printable(name) == shortened(name) == name
    assert code_span("Höhe (m)") == "`Höhe (m)`"
    assert markdown("scikit-learn 1.9.1") == "scikit-learn 1.9.1"


def test_control_characters_are_shown_as_escapes() -> None:
    assert printable("\x1b[31m\u202ea") == "\\x1b[31m\\u202ea"
