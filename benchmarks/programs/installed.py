"""What an installation brings: packages and megabytes, without extras."""

from __future__ import annotations

import os
import re
from importlib import metadata

from measure import found


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _needed(root: str) -> dict[str, metadata.Distribution]:
    """Return the distributions that `root` needs here, itself included."""
    from packaging.requirements import Requirement

    found: dict[str, metadata.Distribution] = {}
    waiting = [root]
    while waiting:
        name = _name(waiting.pop())
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        for line in found[name].requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting.append(wanted.name)
    return found


def _bytes(distribution: metadata.Distribution) -> int:
    total = 0
    for item in distribution.files or []:
        path = str(distribution.locate_file(item))
        if "__pycache__" not in path and os.path.isfile(path):
            total += os.path.getsize(path)
    return total


def _package_bytes() -> int:
    """Return the size of the imported package, which an editable installation does not list."""
    import mlflow

    total = 0
    for folder, _, files in os.walk(os.path.dirname(mlflow.__file__)):
        if "__pycache__" not in folder:
            total += sum(os.path.getsize(os.path.join(folder, name)) for name in files)
    return total


def main() -> None:
    """Count what is installed here."""
    names = {_name(item.metadata["Name"]) for item in metadata.distributions()}
    root = "millstream" if "millstream" in names else "mlflow"
    needed = _needed(root)
    size = sum(_bytes(item) for name, item in needed.items() if name != "millstream")
    if root == "millstream":
        size += _package_bytes()
    found("installation: packages", "packages", [float(len(needed))])
    found("installation: size", "MB", [size / 1e6])


main()
