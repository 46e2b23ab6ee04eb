"""What is installed under the name `mlflow`: ours, the stock package, or metadata that says ours."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import warnings
import zipfile

from mlflow.exceptions import MlflowException

# The version that the metadata-only distributions carry: the API level, marked as ours.
SHIM_VERSION = "3.17.2+millstream"
SHIM_NAMES = ("mlflow", "mlflow-skinny", "mlflow-tracing")
_MARK = "+millstream"
# A module of every stock release that has no counterpart here; the door looks for it too.
STOCK_SIGN = os.path.join("rfunc", "__init__.py")

REPAIR = (
    "pip uninstall -y mlflow mlflow-skinny mlflow-tracing && "
    "pip install --force-reinstall --no-deps millstream && mlflow shim install"
)

_METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: Says that Millstream provides the package `mlflow`; holds no code.
License: Apache-2.0
Requires-Python: >=3.11
Requires-Dist: millstream
"""
_WHEEL = """\
Wheel-Version: 1.0
Generator: millstream
Root-Is-Purelib: true
Tag: py3-none-any
"""


def package_folder() -> str:
    """Return the folder that holds the package `mlflow`."""
    return os.path.dirname(os.path.abspath(__file__))


def has_stock_files(folder: str | None = None) -> bool:
    """Tell whether files of the stock package lie among ours.

    Args:
        folder: the package's folder; this one by default.
    """
    return os.path.exists(os.path.join(folder or package_folder(), STOCK_SIGN))


def warn_about_stock_files() -> None:
    """Say that stock files lie among ours, and the line that repairs it."""
    warnings.warn(
        f"Files of the stock mlflow package lie in {package_folder()} beside Millstream's, and "
        f"imports may pick either. To repair it, run: {REPAIR}",
        RuntimeWarning,
        stacklevel=3,
    )


def installed_version(name: str) -> str | None:
    """Return the version of an installed distribution, or None.

    Args:
        name: the distribution's name, such as `mlflow`.
    """
    importlib.invalidate_caches()
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def is_shim(version: str | None) -> bool:
    """Tell whether a version is that of our metadata, not of the stock package.

    Args:
        version: what `installed_version` returned.
    """
    return version is not None and version.endswith(_MARK)


def stock_distributions() -> list[str]:
    """Return `name version` for each stock distribution that is installed."""
    found = [(name, installed_version(name)) for name in SHIM_NAMES]
    return [f"{name} {version}" for name, version in found if version and not is_shim(version)]


def missing_shims() -> list[str]:
    """Return the names that no installed distribution carries."""
    return [name for name in SHIM_NAMES if installed_version(name) is None]


def shim_files(name: str) -> dict[str, bytes]:
    """Return the files of one metadata-only distribution, by path.

    Args:
        name: one of `SHIM_NAMES`.
    """
    folder = _dist_info(name)
    files = {
        f"{folder}/METADATA": _METADATA.format(name=name, version=SHIM_VERSION).encode(),
        f"{folder}/WHEEL": _WHEEL.encode(),
    }
    lines = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        lines.append(f"{path},sha256={digest},{len(content)}\n")
    files[f"{folder}/RECORD"] = "".join([*lines, f"{folder}/RECORD,,\n"]).encode()
    return files


def build_wheel(name: str, folder: str) -> str:
    """Write the wheel of one metadata-only distribution and return its path.

    Args:
        name: one of `SHIM_NAMES`.
        folder: an existing folder.
    """
    path = os.path.join(folder, f"{name.replace('-', '_')}-{SHIM_VERSION}-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in shim_files(name).items():
            # A fixed date, so that the same wheel is the same bytes.
            wheel.writestr(zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0)), content)
    return path


def install_shims() -> str:
    """Install the metadata-only distributions into this interpreter's environment.

    Returns:
        Who installed them: `pip`, `uv` or `files`.

    Raises:
        MlflowException: a stock distribution is installed, or the environment cannot be written.
    """
    stock = stock_distributions()
    if stock:
        # Replacing it would make the installer delete its files, some of which are now ours.
        raise MlflowException(
            f"The stock package is installed: {', '.join(stock)}. To replace it, run: {REPAIR}"
        )
    with tempfile.TemporaryDirectory() as folder:
        wheels = [build_wheel(name, folder) for name in SHIM_NAMES]
        options = ["install", "--no-deps", "--no-index", "--quiet"]
        installer = _installer()
        if installer == "pip":
            _run([sys.executable, "-m", "pip", *options, "--disable-pip-version-check", *wheels])
        elif installer == "uv":
            _run([_uv(), "pip", *options, "--python", sys.executable, *wheels])
        else:
            _write_files()
    return installer


def uninstall_shims() -> list[str]:
    """Remove our metadata-only distributions and return the names that were removed.

    A stock distribution of the same name is left alone.

    Raises:
        MlflowException: the environment cannot be written.
    """
    names = [name for name in SHIM_NAMES if is_shim(installed_version(name))]
    if not names:
        return []
    installer = _installer()
    if installer == "pip":
        options = ["uninstall", "--yes", "--quiet", "--disable-pip-version-check"]
        _run([sys.executable, "-m", "pip", *options, *names])
    elif installer == "uv":
        _run([_uv(), "pip", "uninstall", "--quiet", "--python", sys.executable, *names])
    else:
        for name in names:
            shutil.rmtree(os.path.join(_site_packages(), _dist_info(name)))
    return names


def _dist_info(name: str) -> str:
    return f"{name.replace('-', '_')}-{SHIM_VERSION}.dist-info"


def _site_packages() -> str:
    return sysconfig.get_paths()["purelib"]


def _uv() -> str:
    return shutil.which("uv") or "uv"


def _installer() -> str:
    if importlib.util.find_spec("pip") is not None:
        return "pip"
    return "uv" if shutil.which("uv") else "files"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MlflowException(f"{' '.join(command[:4])} failed: {done.stderr.strip()}")


def _write_files() -> None:
    """Do what an installer does with our wheels, where there is no installer."""
    place = _site_packages()
    for name in SHIM_NAMES:
        folder = os.path.join(place, _dist_info(name))
        files = shim_files(name)
        installer = f"{_dist_info(name)}/INSTALLER"
        record = f"{_dist_info(name)}/RECORD"
        files[installer] = b"millstream\n"
        files[record] += f"{installer},,\n".encode()
        try:
            os.makedirs(folder, exist_ok=True)
            for path, content in files.items():
                with open(os.path.join(place, path), "wb") as out:
                    out.write(content)
        except OSError as error:
            raise MlflowException(f"Cannot write to {place}: {error.strerror}.") from error
