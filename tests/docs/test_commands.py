"""Every command in the documents is run by a test, listed by name, or marked as not run."""

from __future__ import annotations

import pytest

from tests.docs.named_commands import NAMED_COMMANDS, RECIPES
from tests.support.docs.pages import ROOT, SHELLS, TUTORIAL, TUTORIAL_TEST, Block, all_blocks, blocks, pages

LANGUAGES = SHELLS | {"yaml", "json", "python", "text", "mermaid"}
COMMANDS = all_blocks(*SHELLS)
RUN = [block for block in COMMANDS if block.runner]
NOT_RUN = [block for block in COMMANDS if block.remark.startswith("not run: ")]
BY_NAME = [block for block in COMMANDS if block not in RUN and block not in NOT_RUN]
REMARKS = ("include ", "run by ", "by name", "not run: ", "continues")


def names(block: Block) -> list[str]:
    """The commands of a block, without comments."""
    return [step.command.split("  #")[0].strip() for step in block.steps()]


def problem_with(command: str) -> str:
    """The problem with the entry of a command; empty if there is none."""
    if command not in NAMED_COMMANDS:
        return f"`{command}` is not in NAMED_COMMANDS"
    file, words = NAMED_COMMANDS[command]
    if not (ROOT / file).is_file():
        return f"`{command}` should be run by {file}, which does not exist"
    return (
        ""
        if words in (ROOT / file).read_text()
        else f"`{command}` should be run by {file}, which does not contain {words!r}"
    )


def test_every_block_has_a_known_language() -> None:
    """Blocks without a language are not checked; `text` is for what is neither a command nor a file."""
    unknown = [b.label() for page in pages() for b in blocks(page) if b.language not in LANGUAGES]
    assert unknown == []


def test_all_fences_are_visible_to_the_parser() -> None:
    """The parser does not support indented fences or fences of tildes."""
    hidden = [
        f"{page.name}:{number}"
        for page in pages()
        for number, line in enumerate(page.read_text().splitlines(), start=1)
        if (line != line.lstrip() and line.lstrip().startswith("```")) or line.lstrip().startswith("~~~")
    ]
    assert hidden == []


def test_every_block_comment_is_valid() -> None:
    """A misspelt comment would change which test runs a block."""
    remarks = {b.label(): b.remark for page in pages() for b in blocks(page) if b.remark}
    assert {where: remark for where, remark in remarks.items() if not remark.startswith(REMARKS)} == {}


def test_documents_contain_commands() -> None:
    """Guards the tests below against an empty list."""
    assert {page.name for page in (block.page for block in COMMANDS)} >= {"README.md", "rainfall.md", "install.md"}
    assert [block for block in RUN if block.page == TUTORIAL and block.runner == TUTORIAL_TEST]


@pytest.mark.parametrize("block", BY_NAME, ids=Block.label)
def test_a_named_command_is_run_by_the_listed_file(block: Block) -> None:
    """For example, `make demo` in README is run by an end-to-end test."""
    assert [problem for name in names(block) if (problem := problem_with(name))] == []


@pytest.mark.parametrize("command", ["make coffee"])
def test_a_command_without_an_entry_is_reported(command: str) -> None:
    assert problem_with(command) == "`make coffee` is not in NAMED_COMMANDS"


def test_recipes_of_make_targets_are_the_listed_ones() -> None:
    """Tests run the main command of a target, so its recipe must contain nothing else."""
    makefile = (ROOT / "Makefile").read_text()
    for target, recipe in RECIPES.items():
        body = makefile.split(f"\n{target}:")[1].split("\n\n")[0].splitlines()[1:]
        assert [line.strip().removeprefix("@") for line in body] == [recipe]


@pytest.mark.parametrize("block", RUN, ids=Block.label)
def test_a_block_names_the_test_that_runs_it(block: Block) -> None:
    """The test must exist and read its blocks from the pages."""
    text = (ROOT / block.runner).read_text()
    assert "run_by(Path(__file__))" in text
    assert block.steps()


@pytest.mark.parametrize("block", NOT_RUN, ids=Block.label)
def test_a_block_that_is_not_run_is_marked_on_the_page(block: Block) -> None:
    """The text above the block says that no test runs it."""
    above = block.page.read_text().splitlines()[: block.line - 2]
    paragraph = "\n".join(above).rstrip().split("\n\n")[-1]
    assert "not run by our tests" in " ".join(paragraph.split())
