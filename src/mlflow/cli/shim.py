"""`mlflow shim`: let packages that ask for the distribution `mlflow` find it installed."""

from __future__ import annotations

import click

from mlflow import _installation


@click.group("shim")
def shim() -> None:
    """Let other packages find `mlflow` installed.

    Packages that require the distribution `mlflow` would otherwise pull the stock package over
    this one. The shim is metadata only: it has no code and pip removes it like any package.
    """


@shim.command("install")
def install() -> None:
    """Install the metadata-only distributions."""
    how = _installation.install_shims()
    names = ", ".join(_installation.SHIM_NAMES)
    click.echo(f"Installed {names} {_installation.SHIM_VERSION} (with {how}).")


@shim.command("uninstall")
def uninstall() -> None:
    """Remove the metadata-only distributions."""
    removed = _installation.uninstall_shims()
    click.echo(f"Removed {', '.join(removed)}." if removed else "The shim is not installed.")


@shim.command("status")
def status() -> None:
    """Show what is installed under each name."""
    for name in _installation.SHIM_NAMES:
        version = _installation.installed_version(name)
        if version is None:
            said = "not installed"
        elif _installation.is_shim(version):
            said = f"{version} (shim)"
        else:
            said = f"{version} (the stock package)"
        click.echo(f"{name}: {said}")
