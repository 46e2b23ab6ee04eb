"""How `scripts/docs` makes a site of these pages; each can be read without it, too."""

import re

project = "Millstream"
author = "The Millstream developers"
html_title = "Millstream"
root_doc = "index"

extensions = ["myst_parser"]
exclude_patterns = ["deploy"]
myst_heading_anchors = 4
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e75", "color-brand-content": "#0b6e75"},
    "dark_css_variables": {"color-brand-primary": "#5fc9c3", "color-brand-content": "#5fc9c3"},
}


def add_contents(app: object, name: str, source: list[str]) -> None:
    """Make the links of the first page, chapter by chapter, the contents at the side."""
    if name != root_doc:
        return
    chapters = re.split(r"^## (.+)\n", source[0], flags=re.MULTILINE)[1:]
    for caption, text in zip(chapters[::2], chapters[1::2], strict=True):
        links = re.findall(r"\[([^\]]+)\]\(([\w/-]+)\.md\)", text)
        pages = [f"{title} <{page}>" for title, page in links]
        if caption == "Decisions":
            pages = ["decisions/*"]
        options = f":hidden:\n:glob:\n:caption: {caption}\n"
        source[0] += f"\n```{{toctree}}\n{options}\n" + "\n".join(pages) + "\n```\n"


def setup(app: object) -> None:
    """Register it."""
    app.connect("source-read", add_contents)  # type: ignore[attr-defined]
