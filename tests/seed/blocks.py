"""The code blocks of the document, how each is run, and why some are not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCUMENT = Path(__file__).with_name("document.md")
SHA256 = "89a94db4d79bf92ebab70296c5ec6caa13f2f0b3bf0e478ac7ec6274d628b72b"


class Block(NamedTuple):
    """A fenced block: its place in the document, its language and its text."""

    number: int
    language: str
    text: str


def read() -> list[Block]:
    """All fenced blocks, in the document's order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.S | re.M)
    return [Block(number, language, text) for number, (language, text) in enumerate(found)]


# Blocks that make up one program: later ones continue in the names of the earlier ones.
CHAINS = {
    "a metric of a model trained before": [0],
    "a database as the store": [2],
    "a server as the store": [4],
    "a server on another port": [6],
    "the wine script": [7],
    "the wine script, explained line by line": [7, 8, 9, 10, 13],
    "a signature of houses": [11],
    "irises": [14],
    "more models, and a new name": [7, 18, 19, 20, 21],
}
# Block 0 begins where "your data preprocessing and model training code" ended.
BEFORE = {
    0: """
from sklearn.linear_model import LinearRegression
X_test, y_test = [[1.0], [2.0], [3.0]], [1.0, 2.5, 3.0]
model = LinearRegression().fit(X_test, y_test)
""",
}
# Run after models were trained, with the random ids of the document's author replaced by ids of
# runs that exist here. Nothing else in them is changed.
WITH_IDS = {
    22: "loads the larger forest by its path",
    23: "installs the requirements of the larger forest",
    24: "serves the model of the wine script",
    25: "asks the served model",
}
EXPECTED = {
    12: "what block 11 prints, roughly: the document says 'might look something like'",
    26: "what block 25 prints",
}
NOT_RUN = {
    1: "opens the browser interface: needs a server and a browser",
    3: "starts the tracking server",
    5: "starts the tracking server",
    15: "opens the browser interface: needs a server and a browser",
    16: "opens the browser interface: needs a server and a browser",
    17: "an address for the browser, no command",
}
ID_OF_FOREST = "4bfbba9a0b194be7a2036197e88b054a"
ID_OF_SERVED = "aea73ab36d544af29927cf26199b8888"
