"""Tags of every run: who started it, from which file, and what kind of program that is."""

from __future__ import annotations

import os
import sys

from mlflow.tags import MLFLOW_SOURCE_NAME, MLFLOW_SOURCE_TYPE, MLFLOW_USER
from mlflow.tracking.active import in_kernel
from mlflow.tracking.context.abstract_context import RunContextProvider

_user: str | None = None


class DefaultRunContext(RunContextProvider):
    """User, source name and source type."""

    def in_context(self) -> bool:
        """Tell that these are always known."""
        return True

    def tags(self) -> dict[str, str]:
        """Return the three tags."""
        kind = "NOTEBOOK" if in_kernel() else "LOCAL"
        return {
            MLFLOW_USER: _get_user(),
            MLFLOW_SOURCE_NAME: _get_source_name(),
            MLFLOW_SOURCE_TYPE: kind,
        }


def _get_user() -> str:
    """Return the name of the user, as the environment or the system has it."""
    global _user
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        user = os.environ.get(name)
        if user:
            return user
    if _user is None:
        try:
            import pwd

            _user = str(pwd.getpwuid(os.getuid()).pw_name)
        except (ImportError, KeyError, OSError):
            _user = "unknown"
    return _user or "unknown"


def _get_source_name() -> str:
    """Return the path of the notebook or of the program."""
    if in_kernel():
        return _notebook_path() or "notebook"
    return sys.argv[0] if getattr(sys, "argv", None) and sys.argv[0] else "<console>"


def main_folder() -> str:
    """Return the folder that the program's code is in; the working directory for a console."""
    main = sys.modules.get("__main__")
    path: str | None = getattr(main, "__file__", None)
    if not path or in_kernel():
        return os.getcwd()
    return os.path.dirname(os.path.abspath(path))


def is_interactive() -> bool:
    """Tell whether the code is typed in bit by bit, in a notebook or at a prompt.

    Errors then end a statement and not the process.
    """
    # Programs import IPython, too; in them it has no shell.
    shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    is_shell = shell is not None and shell() is not None
    return is_shell or hasattr(sys, "ps1") or bool(sys.flags.interactive)


def _notebook_path() -> str | None:
    # Set by Jupyter's servers; Visual Studio Code puts it in the user's variables instead.
    path = os.environ.get("JPY_SESSION_NAME")
    if path:
        return path
    shell = sys.modules["IPython"].get_ipython()
    path = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__")
    return path if isinstance(path, str) else None
