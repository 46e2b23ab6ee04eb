"""The grammar of filters and orders: a superset of MLflow's, the same for every store.

    filter     = and_chain { OR and_chain }
    and_chain  = factor { AND factor }
    factor     = NOT factor | "(" filter ")" | comparison
    comparison = key ( comparator value | [NOT] LIKE text | [NOT] ILIKE text
                     | [NOT] IN "(" value { "," value } ")" | [NOT] BETWEEN number AND number
                     | IS [NOT] NULL )
    key        = [ prefix "." ] name | aggregate "(" prefix "." name ")"
               | prefix "." quoted_name "." aggregate

An unquoted `metrics.loss.min` is the metric named `loss.min`, as MLflow reads it; the smallest
value of `loss` is ``metrics.`loss`.min`` or `min(metrics.loss)`.
"""

from __future__ import annotations

from mlflow.exceptions import MlflowException, invalid
from mlflow.search import lex
from mlflow.search.lex import Source, Token
from mlflow.search.nodes import (
    AGGREGATES,
    EQUAL,
    UNEQUAL,
    And,
    Compare,
    Filter,
    Not,
    Number,
    Or,
    OrderBy,
    OrderTerm,
    Scope,
    Value,
    comparisons,
)
from mlflow.search.vocabulary import (
    NOUNS,
    NOUNS_WITH_PROMPTS,
    OPERATORS,
    PROMPT_TAG,
    TEXT,
    Noun,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_TERMS = 200
MAX_DEPTH = 64
MAX_LIST = 10_000
MAX_ORDER_TERMS = 32

# How messages call a kind; clients and tests look for these words.
_KIND_IN_MESSAGES = {"param": "parameter"}


def parse_filter(noun: str, text: str | None, datasets: list[Any] | None = None) -> Filter | None:
    """Parse a filter.

    For registered models and model versions the result also hides prompts, unless the filter
    asks for them by their tag.

    Args:
        noun: `runs`, `experiments`, `registered_models`, `model_versions` or `logged_models`.
        text: the filter; None, empty and blank ones let everything pass.
        datasets: for logged models: conditions on metrics, and the models that pass, are limited
            to metrics of these datasets (`dataset_name` and perhaps `dataset_digest`).

    Returns:
        The filter; None when every row passes.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE, with a message that points at the character.
    """
    vocabulary = NOUNS[noun]
    scope = _scope_of(datasets)
    parsed = None
    if text:
        parser = _Parser(vocabulary, Source(text, "filter string"), scope)
        parsed = parser.filter() if parser.token.kind != lex.END else None
    if scope:
        # No metric has an empty key: this asks for any metric of these datasets.
        any_metric = Compare("metric", "", "IS NOT NULL", None, scope=scope)
        parsed = And((parsed, any_metric)) if parsed else any_metric
    if noun in NOUNS_WITH_PROMPTS:
        parsed = _without_prompts(parsed)
    return parsed


def parse_order_by(noun: str, order_by: list[Any] | str | None) -> OrderBy:
    """Parse an order and complete it, so that no two rows tie.

    Args:
        noun: as in `parse_filter`.
        order_by: clauses such as `metrics.loss DESC`; for logged models also dicts with
            `field_name`, `ascending`, `dataset_name` and `dataset_digest`.

    Returns:
        The terms, with those of the noun's own order behind the ones that were asked for.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for clauses that cannot be parsed, for unknown
            keys and for a key that is named twice.
    """
    vocabulary = NOUNS[noun]
    clauses = [order_by] if isinstance(order_by, str) else list(order_by or ())
    if len(clauses) > MAX_ORDER_TERMS:
        msg = f"Invalid order_by: it has {len(clauses)} clauses, at most {MAX_ORDER_TERMS}."
        raise invalid(msg)
    terms: list[OrderTerm] = []
    for clause in clauses:
        if isinstance(clause, dict) and noun == "logged_models":
            terms.append(_order_of_field(vocabulary, clause))
        else:
            terms.append(_order_of_clause(vocabulary, clause))
    seen = {term.target for term in terms}
    if len(seen) < len(terms):
        msg = f"`order_by` contains duplicate fields: {clauses}"
        raise invalid(msg)
    rest = vocabulary.tiebreak if terms else (*vocabulary.default, *vocabulary.tiebreak)
    return (*terms, *(term for term in rest if term.target not in seen))


def _scope_of(datasets: list[Any] | None) -> tuple[Scope, ...] | None:
    found = []
    for dataset in datasets or ():
        if not isinstance(dataset, dict) or not isinstance(dataset.get("dataset_name"), str):
            msg = "`dataset_name` in the `datasets` clause must be specified."
            raise invalid(msg)
        found.append((dataset["dataset_name"], dataset.get("dataset_digest") or None))
    return tuple(found) or None


def _without_prompts(node: Filter | None) -> Filter:
    asked = any(c.kind == "tag" and c.key == PROMPT_TAG for c in comparisons(node))
    if asked and node is not None:
        return _prompt_conditions(node)
    hidden = Not(Compare("tag", PROMPT_TAG, EQUAL, "true"))
    return And((node, hidden)) if node is not None else hidden


def _prompt_conditions(node: Filter) -> Filter:
    # Models that are not prompts have no such tag, and yet `= 'false'` and `!= 'true'` find them.
    if isinstance(node, Compare):
        if node.kind != "tag" or node.key != PROMPT_TAG:
            return node
        if (node.op, node.value) in ((EQUAL, "false"), (UNEQUAL, "true")):
            return Not(Compare("tag", PROMPT_TAG, EQUAL, "true"))
        return node
    if isinstance(node, Not):
        return Not(_prompt_conditions(node.term))
    return type(node)(tuple(_prompt_conditions(term) for term in node.terms))


def _order_of_clause(noun: Noun, clause: object) -> OrderTerm:
    if not isinstance(clause, str) or not clause.strip():
        msg = f"Invalid order_by clause '{clause}'. Could not be parsed."
        raise invalid(msg)
    source = Source(clause, "order_by clause")
    parser = _Parser(noun, source, None)
    start = parser.token.start
    kind, key, aggregate = parser.key(for_order=True)
    if kind == "dataset":
        message = "Invalid order_by entity type 'dataset'"
        raise source.error(message, start)
    ascending = not parser.accept("DESC")
    if ascending:
        parser.accept("ASC")
    if parser.token.kind != lex.END:
        what = "ordering key in order_by clause" if parser.token.kind == lex.WORD else source.what
        message = f"Invalid {what} '{clause}'. Could not be parsed."
        raise source.error(message, parser.token.start)
    return OrderTerm(kind, key, ascending, aggregate=aggregate)


def _order_of_field(noun: Noun, clause: dict[str, Any]) -> OrderTerm:
    field, ascending = clause.get("field_name"), clause.get("ascending", True)
    name, digest = clause.get("dataset_name"), clause.get("dataset_digest")
    if not isinstance(field, str) or not field:
        msg = "`field_name` in the `order_by` clause must be specified."
        raise invalid(msg)
    if not isinstance(ascending, bool):
        msg = (
            "Value of `ascending` in the `order_by` clause must be a boolean, "
            f"got {type(ascending)} for field {field}."
        )
        raise invalid(msg)
    if digest and not name:
        msg = "`dataset_digest` can only be specified if `dataset_name` is also specified."
        raise invalid(msg)
    prefix, dot, rest = field.partition(".")
    kind = noun.prefixes.get(prefix) if dot else "attribute"
    if kind not in ("attribute", "metric") or (dot and not rest):
        msg = f"Invalid order by field name: {field}. Only metrics and attributes are supported."
        raise invalid(msg)
    if kind == "metric":
        return OrderTerm(kind, rest, ascending, scope=((name, digest or None),) if name else None)
    key = noun.attribute(rest or field, for_order=True)
    if key is None:
        known = noun.spellings(for_order=True)
        msg = f"Invalid order by field name: {field}. Valid attributes are {known}."
        raise invalid(msg)
    return OrderTerm(kind, key, ascending)


class _Parser:
    """Recursive descent over the tokens of one clause; depth and size are bounded."""

    def __init__(self, noun: Noun, source: Source, scope: tuple[Scope, ...] | None) -> None:
        self.noun = noun
        self.source = source
        self.scope = scope
        self.tokens = lex.tokens(source)
        self.at = 0
        self.depth = 0
        self.terms = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        if token.kind != lex.END:
            self.at += 1
        return token

    def accept(self, *words: str) -> str | None:
        """Take the next token if it is one of these keywords; return which."""
        if self.token.says(*words):
            return self.take().text.upper()
        return None

    def sign(self, sign: str) -> bool:
        """Take the next token if it is this sign."""
        if self.token.kind == lex.SIGN and self.token.text == sign:
            self.take()
            return True
        return False

    def wrong(self, expected: str) -> MlflowException:
        """Return the error for a token that cannot stand where it stands."""
        token = self.token
        found = repr(self.source.text[token.start : token.end][:60]) if token.text else "the end"
        message = f"Invalid clause(s) in {self.source.what}: expected {expected}, found {found}"
        return self.source.error(message, token.start)

    # ── joined conditions ──

    def filter(self) -> Filter:
        found = self.any_of()
        if self.token.kind != lex.END:
            raise self.wrong("AND, OR or the end")
        return found

    def any_of(self) -> Filter:
        terms = [self.all_of()]
        while self.accept("OR"):
            terms.append(self.all_of())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def all_of(self) -> Filter:
        # Outside parentheses MLflow takes a missing or a stray AND for granted; scripts that
        # join conditions by hand rely on it.
        outer = self.depth == 0
        while outer and self.token.says("AND"):
            self.take()
        terms = [self.factor()]
        while True:
            if self.accept("AND"):
                if outer and self.token.kind == lex.END:
                    break
            elif not (outer and self.starts_key()):
                break
            terms.append(self.factor())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def starts_key(self) -> bool:
        return self.token.kind in (lex.PREFIX, lex.QUOTED) or (
            self.token.kind == lex.WORD and not self.token.says("AND", "OR", "NOT")
        )

    def factor(self) -> Filter:
        start = self.token.start
        negations = 0
        while self.accept("NOT"):
            negations += 1
        self.deeper(negations, start)
        if self.sign("("):
            self.deeper(1, start)
            found = self.any_of()
            if not self.sign(")"):
                raise self.wrong("AND, OR or ')'")
            self.depth -= 1
        else:
            found = self.comparison()
        self.depth -= negations
        for _ in range(negations):
            found = Not(found)
        return found

    def deeper(self, levels: int, start: int) -> None:
        self.depth += levels
        if self.depth > MAX_DEPTH:
            message = (
                f"Invalid clause(s) in {self.source.what}: nested more than {MAX_DEPTH} levels deep"
            )
            raise self.source.error(message, start)

    # ── one condition ──

    def comparison(self) -> Filter:
        self.terms += 1
        start = self.token
        if self.terms > MAX_TERMS:
            message = f"Invalid clause(s) in {self.source.what}: more than {MAX_TERMS} conditions"
            raise self.source.error(message, start.start)
        kind, key, aggregate = self.key(for_order=False)
        operator = self.token
        op = self.operator(self.source.text[start.start : self.tokens[self.at - 1].end])
        kind_type = self.noun.type_of(kind, key)
        known = OPERATORS[kind_type]
        if op not in known:
            message = f"Invalid comparator '{op}' not one of '{{{str(list(known))[1:-1]}}}'"
            raise self.source.error(message, operator.start)
        value = self.value(kind, key, op, kind_type)
        scope = self.scope if kind == "metric" else None
        return Compare(kind, key, op, value, aggregate=aggregate, scope=scope)

    def key(self, *, for_order: bool) -> tuple[str, str, str | None]:
        """Take the left side; return its kind, canonical key and aggregate."""
        token = self.token
        aggregate = self.call()
        if token.kind == lex.PREFIX:
            kind, key, aggregate = self.prefixed()
        elif aggregate:
            kind, key, _ = self.prefixed()
            if not self.sign(")"):
                raise self.wrong("')'")
        elif token.kind in (lex.WORD, lex.QUOTED) or token.quote == '"':
            self.take()
            kind, key = "attribute", token.text
        else:
            shown = self.source.text[token.start : token.end][:60] or "the end"
            message = (
                f"Invalid clause(s) in {self.source.what}: "
                f"Invalid comparison clause. Expected 'Identifier' found '{shown}'"
            )
            raise self.source.error(message, token.start)
        if aggregate and (kind != "metric" or self.noun.name != "runs"):
            message = f"Invalid aggregate '{aggregate}': only metrics of runs have a history"
            raise self.source.error(message, token.start)
        return kind, self.canonical(kind, key, token.start, for_order=for_order), aggregate

    def call(self) -> str | None:
        """Take `min(` and the like; return the aggregate."""
        following = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if self.token.kind != lex.WORD or (following.kind, following.text) != (lex.SIGN, "("):
            return None
        name = self.token.text.lower()
        if name not in AGGREGATES:
            message = f"Invalid aggregate '{name}' not one of {list(AGGREGATES)}"
            raise self.source.error(message, self.token.start)
        self.take()
        self.take()
        return name

    def prefixed(self) -> tuple[str, str, str | None]:
        prefix = self.token
        if prefix.kind != lex.PREFIX:
            raise self.wrong("a metric such as metrics.loss")
        self.take()
        kind = self.noun.prefixes.get(prefix.text)
        if kind is None:
            kinds = [_KIND_IN_MESSAGES.get(known, known) for known in self.noun.kinds]
            message = f"Invalid entity type '{prefix.text}'. Valid values are {kinds}"
            raise self.source.error(message, prefix.start)
        token = self.token
        if token.start != prefix.end or token.kind not in (
            lex.WORD,
            lex.QUOTED,
            lex.TEXT,
            lex.PREFIX,
        ):
            raise self.wrong(f"a key right behind '{prefix.text}.'")
        self.take()
        if not token.text:
            message = f"Invalid clause(s) in {self.source.what}: the key is empty"
            raise self.source.error(message, token.start)
        if token.kind != lex.PREFIX:
            return kind, token.text, None
        aggregate = self.take()
        if aggregate.text.lower() not in AGGREGATES or aggregate.start != token.end:
            message = f"Invalid aggregate '{aggregate.text}' not one of {list(AGGREGATES)}"
            raise self.source.error(message, aggregate.start)
        return kind, token.text, aggregate.text.lower()

    def canonical(self, kind: str, key: str, start: int, *, for_order: bool) -> str:
        if kind == "dataset" and not self.noun.dataset_key(key):
            message = (
                f"Invalid dataset key '{key}' specified. Valid keys are 'name, digest, context'"
            )
            raise self.source.error(message, start)
        if kind != "attribute":
            return key
        found = self.noun.attribute(key, for_order=for_order)
        if found is None:
            known = self.noun.spellings(for_order=for_order)
            message = f"Invalid attribute key '{key}' specified. Valid keys are '{known}'"
            raise self.source.error(message, start)
        return found

    def operator(self, left: str) -> str:
        token = self.token
        if token.kind == lex.SIGN and token.text[0] in "<>=!~":
            return self.take().text
        if self.accept("IS"):
            negated = self.accept("NOT")
            if not self.accept("NULL"):
                raise self.wrong("NULL or NOT NULL")
            return "IS NOT NULL" if negated else "IS NULL"
        negated = self.accept("NOT")
        word = self.accept("LIKE", "ILIKE", "IN", "BETWEEN")
        if word is None:
            raise self.wrong(f"a comparator behind '{left[:60]}'")
        return f"NOT {word}" if negated else word

    # ── values ──

    def value(self, kind: str, key: str, op: str, kind_type: str) -> Value:
        if op.endswith("NULL"):
            return None
        if op.endswith("IN"):
            return self.list_of(kind, key, kind_type)
        if op.endswith("BETWEEN"):
            low = self.number(kind, key)
            if not self.accept("AND"):
                raise self.wrong("AND between the two bounds")
            return (low, self.number(kind, key))
        return self.text(kind) if kind_type == TEXT else self.number(kind, key)

    def list_of(self, kind: str, key: str, kind_type: str) -> Value:
        start = self.token.start
        if not self.sign("("):
            raise self.wrong("a list such as ('a', 'b')")
        found: list[Any] = []
        while not self.sign(")"):
            found.append(self.text(kind) if kind_type == TEXT else self.number(kind, key))
            if not self.sign(",") and (self.token.kind, self.token.text) != (lex.SIGN, ")"):
                raise self.wrong("',' or ')'")
            if len(found) > MAX_LIST:
                message = (
                    f"Invalid clause(s) in {self.source.what}: "
                    f"a list of more than {MAX_LIST} values"
                )
                raise self.source.error(message, start)
        if not found:
            message = (
                "While parsing a list in the query, expected a non-empty list of string values, "
                "but got empty list"
            )
            raise self.source.error(message, start)
        return tuple(found)

    def text(self, kind: str) -> str:
        token = self.token
        if token.kind == lex.TEXT:
            return self.take().text
        if token.kind in (lex.END, lex.SIGN):
            raise self.wrong("a quoted value such as 'my-value'")
        shown = self.source.text[token.start : token.end][:60]
        if token.kind == lex.NUMBER:
            name = _KIND_IN_MESSAGES.get(kind, kind)
            message = (
                f"Expected a quoted string value for {name} (e.g. 'my-value'). Got value {shown}"
            )
        else:
            message = (
                "Parameter value is either not quoted or unidentified quote types used for "
                f"string value {shown}. Use either single or double quotes."
            )
        raise self.source.error(message, token.start)

    def number(self, kind: str, key: str) -> Number:
        token = self.token
        # A version number may be quoted, as it is text on the wire.
        quoted = key == "version_number" and token.text.isascii() and token.text.isdigit()
        if token.kind == lex.NUMBER or (quoted and len(token.text) <= lex.MAX_NUMBER):
            self.take()
            plain = token.text.lstrip("+-").isdigit()
            return int(token.text) if plain and kind == "attribute" else float(token.text)
        if token.kind in (lex.END, lex.SIGN):
            raise self.wrong("a number")
        shown = self.source.text[token.start : token.end][:60]
        what = kind if kind != "attribute" else f"numeric attribute: {key}"
        message = f"Expected numeric value type for {what}. Found {shown}"
        raise self.source.error(message, token.start)
