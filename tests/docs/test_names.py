"""What the pages name is there: commands with their flags, variables, names of `mlflow`, files."""

from __future__ import annotations

import importlib
import re

import click
import pytest

import mlflow
from mlflow import environment_variables, tags
from mlflow.cli import cli
from tests.docs.blocks import PAGES, ROOT, blocks, unmarked

PREFIXES = ("src/", "tests/", "docs/", "scripts/", "examples/", "shim/", "tools/", "changes/",
            "benchmarks/", "ui/", ".ci/", ".github/")  # fmt: skip
# The part of a page that tells what is not here may name it; what follows these words may not.
ONLY_AFTER = {"docs/compatibility.md": "## Differences on purpose"}
# Names that are MLflow's, where a page says so.
OF_MLFLOW = {
    "mlflow.app", "mlflow.datasets", "mlflow.project_backend", "mlflow.prompt.is_prompt",
}  # fmt: skip
# Commands of MLflow, or forms of them, that a page says are refused.
NOT_OURS = {"mlflow run", "mlflow server --enable-workspaces"}
SOURCE = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("src", "scripts", "benchmarks", ".ci", "tools")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ""} and path.is_file()
)
SETTINGS = SOURCE + (ROOT / "tests/conftest.py").read_text(encoding="utf-8")
# Flags of other programs.
OF_OTHERS = {"--forwarded-allow-ips"}
GROUPS = set(re.findall(r"^[A-Z_]*(?:GROUP|PLUGINS) = \"(mlflow\.[a-z_]+)\"", SOURCE, re.M))

each = pytest.mark.parametrize("page", PAGES)


def _spans(page: str, after: str = "") -> list[str]:
    """Return what stands between backquotes, on the whole page or after some words."""
    text = re.sub(r"<!--.*?-->", "", unmarked(page), flags=re.S)
    assert after in text
    text = text.partition(after)[2] if after else text
    return re.findall(r"``? ?(.+?) ?``?(?!`)", text.replace("\n", " "))


def _commands(page: str) -> list[str]:
    found = [span for span in _spans(page) if re.match(r"(\./)?mlflow [a-z]", span)]
    for block in blocks(page):
        if block.language == "sh":
            text = block.text.replace("\\\n", " ")
            found += re.findall(r"(?:^|[|(&] *)(mlflow [^|&;)#\n]+)", text, re.M)
    return [one for one in found if not one.startswith(tuple(NOT_OURS))]


def _unknown(line: str) -> str | None:
    """Return what of a command line the command does not have."""
    words = line.replace("…", " ").split()[1:]
    command: click.Command = cli
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            return words[0]
        command = found
        words.pop(0)
    flags = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)}
    wrong = [word.split("=")[0] for word in words if re.match(r"-{1,2}[a-z]", word)]
    return next((flag for flag in wrong if flag not in {*flags, "--help"}), None)


@each
def test_commands_and_flags_exist(page):
    """Each command is one of `mlflow`, and takes the flags that it is shown with."""
    assert [] == [(one, _unknown(one)) for one in _commands(page) if _unknown(one)]


@each
def test_flags_exist(page):
    """A flag that stands by itself belongs to some command, of ours or one in the page's blocks."""
    known = set(re.findall(r"--[a-z][a-z-]+", SOURCE))
    known |= {flag for one in blocks(page) for flag in re.findall(r"--[a-z][a-z-]+", one.text)}
    named = {
        flag for span in _spans(page) for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", span)
    }

    assert [] == sorted(named - known - OF_OTHERS)


@each
def test_variables_exist(page):
    """Each environment variable is read by something."""
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:MLFLOW|MILLSTREAM)_[A-Z0-9_]+[A-Z0-9]\b", text))
    read = {name for name in named if hasattr(environment_variables, name) or name in SETTINGS}

    assert [] == sorted(named - read)


def _resolves(name: str) -> bool:
    words = name.split(".")
    found: object = mlflow
    for at, word in enumerate(words[1:], 2):
        try:
            found = getattr(found, word)
        except AttributeError:
            try:
                found = importlib.import_module(".".join(words[:at]))
            except ImportError:
                return False
    return True


@each
def test_names_of_mlflow_exist(page):
    """`mlflow.x.y` is a module or an attribute, a tag, or a group of entry points."""
    known = {*OF_MLFLOW, *(one for one in vars(tags).values() if isinstance(one, str)), *GROUPS}
    named = {
        match[0]
        for span in _spans(page, ONLY_AFTER.get(page, ""))
        for match in re.finditer(r"(?<![\w./-])mlflow(\.[A-Za-z_][\w-]*)+", span)
        if not span.startswith(("tags.", "mlflow-"))
    }

    assert [] == sorted(name for name in named - known if not _resolves(name))


@each
def test_paths_exist(page):
    """Every path of the clone between backquotes is there."""
    named = {
        span for span in _spans(page) if span.startswith(PREFIXES) and not re.search(r"[<… ]", span)
    }

    assert [] == [
        one for one in sorted(named) if not any(ROOT.glob(one.partition("::")[0].rstrip("/")))
    ]
