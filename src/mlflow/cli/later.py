"""Commands of MLflow whose time has not come: they say so and fail."""

from __future__ import annotations

import click

from mlflow.exceptions import NOT_IMPLEMENTED, MlflowException


def later(name: str, why: str = "") -> click.Command:
    """Return a command that only says that its time has not come.

    Args:
        name: the command, with the groups it is in.
        why: what it waits for, a sentence.
    """

    def callback() -> None:
        raise MlflowException(
            f"`mlflow {name}` is not in this version yet. {why}".rstrip(), NOT_IMPLEMENTED
        )

    return click.Command(
        name.rpartition(" ")[2],
        callback=callback,
        help="Not in this version yet.",
        hidden=True,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
