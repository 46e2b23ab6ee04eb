"""Write `docs/reference/rest.md`, the reference of the REST API, from the table of operations.

Usage: python tools/gen_rest.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from mlflow.api.op import Op, Route
from mlflow.api.openapi import BASE
from mlflow.api.table import CHAPTERS
from mlflow.api.wire import Choice, Field, Kind, Many, Message, Pairs

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "rest.md"

HEAD = f"""# The REST API

Made from the table of operations in `src/mlflow/api/` by `tools/gen_rest.py`. The same table is
served as an OpenAPI document at `/openapi.json`.

Every path is below `{BASE}/`; `/ajax-api` stands for `/api`, and `2.0/preview` and `3.0` for
`2.0`. A `GET` is asked by query parameters, a list by repeating one; everything else carries a JSON
object and says `Content-Type: application/json`. Field names are in snake case; bodies are read in
camel case too, and fields that are not known are not looked at. 64-bit integers may be sent as
text; `NaN`, `Infinity` and `-Infinity` are text. A star marks what is required.

An answer is a JSON object; fields without a value are left out. A refusal is
`{{"error_code": …, "message": …}}` with the HTTP status of its code. A write may carry a header
`Idempotency-Key`: sent again with the same key it is not done again, and gets the answer of the
first.
"""


def kind_of(kind: Kind) -> str:
    """Return how a table calls a kind; messages are links to their own tables."""
    if isinstance(kind, Many):
        return f"list of {kind_of(kind.kind)}"
    if isinstance(kind, Pairs):
        return f"list of {kind_of(kind.item)}"
    if isinstance(kind, (Message, Choice)):
        return f"[{kind.name}](#{anchor(kind.name)})"
    return kind.name


def anchor(name: str) -> str:
    """Return the anchor of a heading."""
    return name.lower().replace(".", "").replace(" ", "-")


def field_line(field: Field, route: Route | None = None) -> str:
    """Return one line of a list of fields."""
    star = "\\*" if field.required else ""
    place = " (in the path)" if route is not None and field.name in route.names else ""
    note = " (Millstream's own)" if field.extension else ""
    return f"- `{field.name}`{star}: {kind_of(field.kind)}{place}{note}"


def operation(op: Op) -> list[str]:
    """Return the paragraphs of one operation."""
    lines = [f"### {op.name}", "", op.title, ""]
    for route in op.routes:
        until = f", until {route.until}" if route.until else ""
        lines.append(f"`{route.method} {route.path}` (since {route.since}{until})")
        lines.append("")
    lines += [field_line(field, op.routes[0]) for field in op.fields]
    answer = "an empty object"
    if op.gives is not None:
        answer = f"`{op.gives.name}`: {kind_of(op.gives.kind)}"
        if op.gives.is_paged:
            answer += ", and `next_page_token` unless it is the last page"
    lines += ["", f"Answers {answer}."]
    lines += ["", f"Needs the permission to {permission(op)}.", ""]
    return lines


def permission(op: Op) -> str:
    """Return what the caller needs, in words."""
    needed = op.permission
    if needed.argument is None:
        return f"{needed.action} in the {needed.kind}"
    article = "an" if needed.kind[0] in "aeiou" else "a"
    return f"{needed.action} {article} {needed.kind} (`{needed.argument}`)"


def messages() -> dict[str, Message | Choice]:
    """Return all messages and choices that operations name, by name."""
    found: dict[str, Message | Choice] = {}

    def visit(kind: Kind) -> None:
        if isinstance(kind, Many):
            visit(kind.kind)
        elif isinstance(kind, Pairs):
            visit(kind.item)
        elif isinstance(kind, (Message, Choice)) and kind.name not in found:
            found[kind.name] = kind
            for field in kind.fields if isinstance(kind, Message) else ():
                visit(field.kind)

    for operations in CHAPTERS.values():
        for op in operations:
            for field in op.fields:
                visit(field.kind)
            if op.gives is not None:
                visit(op.gives.kind)
    return dict(sorted(found.items()))


def render() -> str:
    """Return the page."""
    lines = [HEAD]
    for chapter, operations in CHAPTERS.items():
        lines += [f"## {chapter}", ""]
        for op in operations:
            lines += operation(op)
    lines += ["## Messages", ""]
    for name, kind in messages().items():
        lines += [f"### {name}", ""]
        if isinstance(kind, Choice):
            lines += ["One of " + ", ".join(f"`{one}`" for one in kind.names) + ".", ""]
        else:
            lines += [*(field_line(field) for field in kind.fields), ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date."""
    text = render()
    if "--check" in sys.argv:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE.name} is out of date: run python tools/gen_rest.py", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
