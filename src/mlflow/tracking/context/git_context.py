"""Tags of the git repository that the program's code is in."""

from __future__ import annotations

from mlflow.tags import (
    MLFLOW_GIT_BRANCH,
    MLFLOW_GIT_COMMIT,
    MLFLOW_GIT_DIRTY,
    MLFLOW_GIT_REPO_URL,
)
from mlflow.tracking.context import git
from mlflow.tracking.context.abstract_context import RunContextProvider
from mlflow.tracking.context.default_context import is_interactive, main_folder

# What was found, by folder. Comparing the tracked files takes milliseconds where there are many.
_known: dict[str, dict[str, str]] = {}


class GitRunContext(RunContextProvider):
    """Commit, branch, remote, and whether tracked files differ from the commit.

    A program asks once: what runs is what it loaded when it started, whatever is edited or
    committed meanwhile. In a notebook or at a prompt every run asks anew.
    """

    def in_context(self) -> bool:
        """Tell whether the code is in a git repository."""
        return git.find(main_folder()) is not None

    def tags(self) -> dict[str, str]:
        """Return what is known; nothing for a repository without commits."""
        folder = main_folder()
        known = _known.get(folder)
        if known is None or is_interactive():
            known = _known[folder] = self._look(folder)
        return dict(known)

    def _look(self, folder: str) -> dict[str, str]:
        repository = git.find(folder)
        if repository is None:
            return {}
        commit, branch = git.head(repository)
        if not commit:
            return {}
        tags = {MLFLOW_GIT_COMMIT: commit}
        url, dirty = git.remote(repository), git.dirty(repository)
        if branch:
            tags[MLFLOW_GIT_BRANCH] = branch
        if url:
            tags[MLFLOW_GIT_REPO_URL] = url
        if dirty is not None:
            tags[MLFLOW_GIT_DIRTY] = "true" if dirty else "false"
        return tags
