"""Files that documents include match the included text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import includes

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """# Page

<!-- include a.yaml -->
```yaml
old: text
```

```yaml
kept: as it is
```

<!-- include b.py -->
```python
```
"""


def test_fill_replaces_blocks_with_the_included_files(tmp_path: Path) -> None:
    """Only the block below the comment changes, and a second run changes nothing."""
    (tmp_path / "a.yaml").write_text("new: text\n")
    (tmp_path / "b.py").write_text("print()\n")
    filled = includes.fill(PAGE, tmp_path)
    assert filled == PAGE.replace("old: text", "new: text").replace("```python\n", "```python\nprint()\n")
    assert includes.fill(filled, tmp_path) == filled


def test_a_missing_included_file_raises_an_error(tmp_path: Path) -> None:
    """A renamed file must not leave its old text in a document."""
    with pytest.raises(FileNotFoundError, match=r"a\.yaml"):
        includes.fill(PAGE, tmp_path)


def test_only_pages_with_includes_are_generated(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("new: text\n")
    (tmp_path / "b.py").write_text("print()\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(PAGE)
    (tmp_path / "README.md").write_text("# By hand\n")
    assert list(includes.files(tmp_path)) == ["docs/page.md"]
