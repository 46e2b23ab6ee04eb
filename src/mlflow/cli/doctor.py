"""`mlflow doctor`: say what is installed, what is set, and what would repair what is broken."""

from __future__ import annotations

import os
import platform
import sys

import click

from mlflow import _installation
from mlflow.exceptions import without_password
from mlflow.tracking.active import get_registry_uri, get_tracking_uri
from mlflow.version import VERSION

_LIBRARIES = ("numpy", "pandas", "scikit-learn", "skops", "cloudpickle", "msgspec", "uvicorn")
_SECRET = ("PASSWORD", "TOKEN", "SECRET", "KEY")


@click.command("doctor")
@click.option("--mask-envs", is_flag=True, help="Hide the values of environment variables.")
def doctor(mask_envs: bool) -> None:
    """Describe this installation, and what would repair it."""
    if not report(mask_envs=mask_envs):
        sys.exit(1)


def report(mask_envs: bool = False) -> bool:
    """Print what is installed, what is set, and what would repair what is broken.

    Args:
        mask_envs: hide the values of environment variables; those of secrets always are.

    Returns:
        Whether the installation works.
    """
    click.echo(f"MLflow API version: {VERSION}")
    click.echo(f"Millstream version: {_installation.installed_version('millstream') or 'unknown'}")
    click.echo(f"Package: {_installation.package_folder()}")
    click.echo(f"Python: {platform.python_version()} ({sys.executable})")
    # `platform.platform()` would ask another program for the name of the processor.
    click.echo(f"System: {platform.system()} {platform.release()} ({platform.machine()})")
    for name in _LIBRARIES:
        click.echo(f"{name}: {_installation.installed_version(name) or 'not installed'}")
    for name, value in sorted(os.environ.items()):
        if name.startswith(("MLFLOW_", "MILLSTREAM_")):
            hidden = mask_envs or any(word in name for word in _SECRET)
            click.echo(f"{name}={'***' if hidden else without_password(value)!r}")
    if not mask_envs:
        click.echo(f"Tracking URI: {without_password(get_tracking_uri())}")
        click.echo(f"Registry URI: {without_password(get_registry_uri())}")
    problems = find_problems()
    for problem in problems:
        click.echo(f"Problem: {problem}")
    if not problems:
        click.echo("No problems found.")
    return not any("To repair it" in problem for problem in problems)


def find_problems() -> list[str]:
    """Return a sentence for each thing that is wrong, with what to do about it."""
    found = []
    stock = _installation.stock_distributions()
    if stock or _installation.has_stock_files():
        what = ", ".join(stock) or "leftover files"
        found.append(
            f"the stock package is installed over or under this one ({what}). "
            f"To repair it, run: {_installation.REPAIR}"
        )
    elif _installation.missing_shims():
        names = ", ".join(_installation.missing_shims())
        found.append(
            f"packages that require {names} would pull the stock package over this one. "
            "To prevent it, run: mlflow shim install"
        )
    return found
