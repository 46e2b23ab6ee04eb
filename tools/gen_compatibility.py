"""Write the lists of names in `docs/compatibility.md` from the tables that make them true.

Usage: python tools/gen_compatibility.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from mlflow import _later, _paths
from mlflow._exports import EXPORTS
from mlflow.server.routes import LATER
from mlflow.tracking.client import MlflowClient

PAGE = Path(__file__).resolve().parent.parent / "docs" / "compatibility.md"


def fold(names: list[str]) -> str:
    """Return names as one paragraph of code words."""
    return ", ".join(f"`{name}`" for name in sorted(names))


def here() -> str:
    """List what the door gives in this version."""
    names = [name for name, home in EXPORTS.items() if home != _later.__name__]
    return fold(names)


def observers() -> str:
    """List what passes through and says so once."""
    names = [
        f"mlflow.{name}"
        for name, home in EXPORTS.items()
        if home == _later.__name__ and name not in _later.DOOR
    ]
    flavors = [f"{module}.autolog" for module, row in _later.MODULES.items() if "autolog" in row]
    flavors += [f"{module}.autolog" for module in _later.AUTOLOG]
    return fold(names + flavors)


def refused() -> str:
    """List what raises `not in this version`, module by module."""
    lines = [f"- `mlflow`: {fold(list(_later.DOOR))}"]
    later = [
        name
        for name in dir(MlflowClient)
        if getattr(getattr(MlflowClient, name), "__module__", "") == _later.__name__
    ]
    if later:
        lines.append(f"- `mlflow.MlflowClient`: {fold(later)}")
    everything = {**_later.MODULES, **_later.INSIDE}
    for module in sorted(everything):
        names = [name for name in everything[module].split() if name != "autolog"]
        if names:
            lines.append(f"- `{module}`: {fold(names)}")
    return "\n".join(lines)


def paths() -> str:
    """List MLflow's module paths that are answered by a table."""
    return fold(list(_paths.ALIASES))


def endpoints() -> str:
    """List what the server answers with `NOT_IMPLEMENTED`, thing by thing."""
    by_thing: dict[str, list[str]] = {}
    for path, thing in LATER.items():
        by_thing.setdefault(thing, []).append(path if path.startswith("/") else f"mlflow/{path}")
    return "\n".join(f"- {thing}: {fold(by_thing[thing])}" for thing in sorted(by_thing))


SECTIONS = {
    "endpoints": endpoints,
    "here": here,
    "observers": observers,
    "refused": refused,
    "paths": paths,
}


def render(page: str) -> str:
    """Return the page with each marked section made anew."""
    for name, make in SECTIONS.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if page.count(start) != 1 or page.count(end) != 1:
            # Without its marks a section would take the text around it along.
            raise SystemExit(f"{PAGE.name} needs the marks of the section '{name}' once each.")
        before, _, rest = page.partition(start)
        _, _, after = rest.partition(end)
        page = before + start + make() + "\n" + end + after
    return page


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date."""
    page = PAGE.read_text(encoding="utf-8")
    text = render(page)
    if "--check" in sys.argv:
        if page == text:
            return 0
        print(f"{PAGE.name} is out of date: run python tools/gen_compatibility.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
