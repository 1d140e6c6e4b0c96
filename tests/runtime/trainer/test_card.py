"""The model card shows names from the data and interprets none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from sklearn.datasets import load_breast_cancer

from tests.support.pods.runs import Run, make_spec

pytestmark = pytest.mark.runtime

NAMES = ["x`<img src=x onerror=alert(1)>[a](javascript:alert(1))\x1b[31m", "a | b", "=HYPERLINK(1)"]


def test_names_of_columns_are_not_interpreted(tmp_path: Path) -> None:
    frame = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, 30]]
    frame.columns = [*NAMES, "target"]
    # Named in the warning about a constant column, which is not in a table.
    frame["<b>constant</b> ![x](http://evil.example)"] = 1.0
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store", make_spec())
    frame.to_csv(run.data / "breast_cancer.csv", index=False)
    for stage in ("prepare", "train", "publish"):
        code, result = run.here(stage)
        assert code == 0, result.error
    assert result.model_version is not None
    card = (run.models.version_dir("tumours", result.model_version.digest) / "MODEL_CARD.md").read_text()
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(card)
    kinds = {child.type for token in parsed for child in [token, *(token.children or [])]}
    assert not kinds & {"html_inline", "html_block", "link_open", "image"}
    spans = [child.content for token in parsed for child in token.children or [] if child.type == "code_inline"]
    assert "x`<img src=x onerror=alert(1)>[a](javascript:alert(1))\\x1b[31m" in spans
    assert "a | b" in spans
    assert "## Warnings" in card
    assert "\x1b" not in card
