"""The contract of a provider of tags for new runs; plug-ins subclass it."""

from __future__ import annotations


class RunContextProvider:
    """Tells what is known of the program that starts a run.

    Plug-ins are found by the entry-point group `mlflow.run_context_provider`.
    """

    def in_context(self) -> bool:
        """Tell whether this provider has something to say here."""
        raise NotImplementedError

    def tags(self) -> dict[str, str]:
        """Return tags for new runs."""
        raise NotImplementedError
