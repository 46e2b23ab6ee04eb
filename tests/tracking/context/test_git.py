"""Reading a repository's state from its files gives what the git program says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import mlflow
from mlflow.tracking.context import git, git_context

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None, reason="the git program makes the repositories of these tests"
)


def _git(where: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(where), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    where = tmp_path / "repo"
    (where / "deep" / "er").mkdir(parents=True)
    _git(tmp_path, "init", "-q", "-b", "main", str(where))
    (where / "train.py").write_text("one\n")
    (where / "deep" / "er" / "with space.txt").write_text("two\n")
    _git(where, "add", ".")
    _git(where, "commit", "-qm", "first")
    git._found.clear()
    return where


def _head(where: Path):
    found = git.find(str(where))
    return git.head(found)


def _dirty(where: Path):
    return git.dirty(git.find(str(where)))


def _no_program(*arguments):
    pytest.fail("the git program was asked")


def test_head_is_the_full_hash_and_the_branch(repository, monkeypatch):
    full = _git(repository, "rev-parse", "HEAD")
    monkeypatch.setattr(git, "ask", _no_program)

    assert len(full) == 40
    assert _head(repository) == (full, "main")
    assert _head(repository / "deep" / "er") == (full, "main")


@pytest.mark.parametrize("has_program", [True, False])
def test_a_run_shows_the_full_hash_with_and_without_the_program(
    repository, monkeypatch, has_program
):
    full = _git(repository, "rev-parse", "HEAD")
    if not has_program:
        monkeypatch.setenv("PATH", "/nowhere")
        assert shutil.which("git") is None
    monkeypatch.setattr("mlflow.tracking.context.git_context.main_folder", lambda: str(repository))

    with mlflow.start_run() as run:
        pass

    tags = mlflow.get_run(run.info.run_id).data.tags
    assert tags["mlflow.source.git.commit"] == full
    assert tags["mlflow.source.git.branch"] == "main"
    assert tags["mlflow.source.git.dirty"] == "false"


@pytest.mark.parametrize("is_notebook", [False, True])
def test_a_program_asks_once_and_a_notebook_each_time(repository, monkeypatch, is_notebook):
    """What runs is what the program loaded; a notebook goes on with what is edited meanwhile."""
    looks = []
    real = git.dirty
    monkeypatch.setattr(git, "dirty", lambda where: looks.append(1) or real(where))
    monkeypatch.setattr(git_context, "main_folder", lambda: str(repository))
    monkeypatch.setattr(git_context, "is_interactive", lambda: is_notebook)
    provider = git_context.GitRunContext()
    first = provider.tags()
    (repository / "train.py").write_text("other")
    later = provider.tags()

    assert first["mlflow.source.git.dirty"] == "false"
    assert later["mlflow.source.git.dirty"] == ("true" if is_notebook else "false")
    assert len(looks) == (2 if is_notebook else 1)


def test_packed_refs_detached_heads_and_slashes_in_branches(repository, monkeypatch):
    _git(repository, "checkout", "-qb", "feature/x/y")
    full = _git(repository, "rev-parse", "HEAD")
    assert _head(repository) == (full, "feature/x/y")
    _git(repository, "pack-refs", "--all")
    assert not (repository / ".git" / "refs" / "heads" / "feature").exists()
    monkeypatch.setattr(git, "ask", _no_program)
    assert _head(repository) == (full, "feature/x/y")
    _git(repository, "checkout", "-q", "--detach")
    assert _head(repository) == (full, None)


def test_worktrees_and_git_files(repository, tmp_path):
    other = tmp_path / "other"
    _git(repository, "worktree", "add", "-qb", "side", str(other))
    (other / "new").write_text("x")
    _git(other, "add", ".")
    _git(other, "commit", "-qm", "second")

    assert (other / ".git").is_file()
    assert _head(other) == (_git(other, "rev-parse", "HEAD"), "side")
    assert _head(repository) == (_git(repository, "rev-parse", "HEAD"), "main")
    assert (_dirty(other), _dirty(repository)) == (False, False)


def test_a_repository_without_commits_and_a_folder_without_one(tmp_path):
    _git(tmp_path, "init", "-q", "-b", "main", str(tmp_path / "empty"))
    git._found.clear()

    assert _head(tmp_path / "empty") == (None, "main")
    (tmp_path / "none" / ".git").mkdir(parents=True)
    assert git.find(str(tmp_path / "none")) is None or "none" not in git.find(str(tmp_path)).work


CHANGES = {
    "nothing": (lambda where: None, False),
    "content": (lambda where: (where / "train.py").write_text("two\n"), True),
    "longer": (lambda where: (where / "train.py").write_text("one\nmore\n"), True),
    "removed": (lambda where: (where / "train.py").unlink(), True),
    "touched": (lambda where: os.utime(where / "train.py", (1, 1)), False),
    "mode": (lambda where: (where / "train.py").chmod(0o755), True),
    "untracked": (lambda where: (where / "new").write_text("x"), False),
    "staged": (lambda where: (
        (where / "new").write_text("x"), _git(where, "add", "new")), True),
    "staged and committed": (lambda where: (
        (where / "new").write_text("x"), _git(where, "add", "new"), _git(where, "commit", "-qm", "x")
    ), False),
    "staged removal": (lambda where: _git(where, "rm", "-q", "train.py"), True),
    "deep": (lambda where: (where / "deep" / "er" / "with space.txt").write_text("x"), True),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_dirty_is_what_git_status_says_of_tracked_files(repository, monkeypatch, name):
    change, expected = CHANGES[name]
    if os.name == "nt" and name == "mode":
        pytest.skip("files have no modes on Windows")
    change(repository)
    before = git.dirty(git.find(str(repository)))
    says = bool(_git(repository, "status", "--porcelain", "--untracked-files=no"))

    assert says == expected
    assert before == expected
    if name == "touched":
        # `status` refreshed the index: size and time match again.
        monkeypatch.setattr(git, "_blob", _no_program)
        assert _dirty(repository) is False


def test_many_tracked_files_are_not_looked_at(repository, monkeypatch):
    monkeypatch.setattr(git, "_MOST_ENTRIES", 1)

    assert _dirty(repository) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:secret@h.example/r.git", "https://h.example/r.git"),
        ("https://h.example/a@b", "https://h.example/a@b"),
        ("git@h.example:o/r.git", "git@h.example:o/r.git"),
    ],
)
def test_the_remote_is_shown_without_a_password(repository, url, shown):
    _git(repository, "remote", "add", "upstream", "https://other.example/")
    assert git.remote(git.find(str(repository))) == "https://other.example/"
    _git(repository, "remote", "add", "origin", url)
    assert git.remote(git.find(str(repository))) == shown


@pytest.mark.parametrize(
    "content",
    [b"", b"DIRC", b"DIRC\0\0\0\x02\0\0\0\x09", b"x" * 500, b"DIRC\0\0\0\x04" + b"\0" * 99],
)
def test_a_broken_index_is_no_answer_and_no_error(repository, content):
    (repository / ".git" / "index").write_bytes(content)

    assert _dirty(repository) is None


@pytest.mark.parametrize(
    "content", ["", "ref: refs/heads/../../../etc/passwd", "ref: ", "zzz", "ref: HEAD", "\0"]
)
def test_a_broken_head_is_no_commit(repository, content):
    (repository / ".git" / "HEAD").write_text(content)

    assert _head(repository)[0] is None
