"""The words of traced code: kinds, states and events of spans, and documents that it retrieves.

Spans record nothing yet (`mlflow._later`), but code that names these runs.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from enum import Enum, IntEnum
from typing import Any

from mlflow._later import NoOpSpan

__all__ = [
    "Document",
    "NoOpSpan",
    "SpanEvent",
    "SpanLogLevel",
    "SpanStatus",
    "SpanStatusCode",
    "SpanType",
]


class SpanType:
    """What a span stands for."""

    LLM = "LLM"
    CHAIN = "CHAIN"
    AGENT = "AGENT"
    TOOL = "TOOL"
    CHAT_MODEL = "CHAT_MODEL"
    RETRIEVER = "RETRIEVER"
    PARSER = "PARSER"
    EMBEDDING = "EMBEDDING"
    RERANKER = "RERANKER"
    MEMORY = "MEMORY"
    UNKNOWN = "UNKNOWN"
    WORKFLOW = "WORKFLOW"
    TASK = "TASK"
    GUARDRAIL = "GUARDRAIL"
    EVALUATOR = "EVALUATOR"


class SpanStatusCode(str, Enum):
    """How a span ended."""

    UNSET = "UNSET"
    OK = "OK"
    ERROR = "ERROR"


@dataclass
class SpanStatus:
    """How a span ended, and why."""

    status_code: SpanStatusCode
    description: str = ""

    def __post_init__(self) -> None:
        self.status_code = SpanStatusCode(self.status_code)


class SpanLogLevel(IntEnum):
    """How much a span matters."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


@dataclass
class SpanEvent:
    """Something that happened at one moment of a span; `timestamp` is in microseconds."""

    name: str
    timestamp: int = field(default_factory=lambda: time.time_ns() // 1000)
    attributes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_exception(cls, exception: BaseException) -> SpanEvent:
        """Return the event of an exception."""
        kind = type(exception).__name__
        shown = {"exception.message": str(exception), "exception.type": kind}
        return cls("exception", attributes=shown)


@dataclass
class Document:
    """A text that a retriever found."""

    page_content: str
    metadata: dict[str, Any] = field(default_factory=dict)
    id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return asdict(self)
