"""Requests to a tracking server: a legal one for every route that its router has, and hostile ones.

Routes are taken from the router, fields from the declarations of operations: a new route is fired
at as soon as it is there, and one that is no operation has to say here what it is asked.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from mlflow.api.wire import BOOL, DOUBLE, INT32, INT64, Choice, Many, Message, Pairs
from mlflow.server.dispatch import Operation
from mlflow.server.routes import BASES

# Where a field of a request stands.
QUERY, BODY, PATH = "query", "body", "path"


class Asked(NamedTuple):
    """A request; words in angle brackets stand for things that a server has made."""

    method: str
    path: str
    query: dict[str, Any] = {}
    fields: Any = None
    body: bytes = b""
    kind: str | None = "application/json"
    headers: tuple = ()

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"


# --- routes --------------------------------------------------------------------------------------

_BASE = re.compile("|".join(re.escape(base) for base in sorted(BASES, key=len, reverse=True)))
#: Routes that are no operations, below a base of the API or by themselves: (where, what).
SPECIAL: dict[str, tuple[str, dict[str, Any]]] = {
    "GET /": (QUERY, {}),
    "GET /health": (QUERY, {}),
    "GET /version": (QUERY, {}),
    "GET /metrics": (QUERY, {}),
    "GET /openapi.json": (QUERY, {}),
    "GET /static/{name}": (PATH, {"name": "nothing.js"}),
    "GET mlflow/server-info": (QUERY, {}),
    "GET mlflow/artifacts/list": (QUERY, {"run_id": "<run>", "path": "model"}),
    "GET /get-artifact": (QUERY, {"run_uuid": "<run>", "path": "model/MLmodel"}),
    "GET mlflow/get-artifact": (QUERY, {"run_uuid": "<run>", "path": "model/MLmodel"}),
    "GET /get-archive": (QUERY, {"run_uuid": "<run>", "path": "model"}),
    "GET /ui-api/changes": (QUERY, {"experiments": "<experiment>", "browser": "b"}),
    "GET /ui-api/caller": (QUERY, {"to": "http://127.0.0.1:5001"}),
    "GET /ui-api/page": (QUERY, {"run_uuid": "<run>", "path": "page.html"}),
    "GET /ui-api/model-page/{model_id}": (
        QUERY, {"model_id": "<logged>", "artifact_file_path": "page.html"},
    ),
    "GET /model-versions/get-artifact": (
        QUERY, {"name": "<model>", "version": "1", "path": "MLmodel"},
    ),
    "GET mlflow/model-versions/get-artifact": (
        QUERY, {"name": "<model>", "version": "1", "path": "MLmodel"},
    ),
    "POST mlflow/upload-artifact": (QUERY, {"run_uuid": "<run>", "path": "up.bin"}),
    "GET mlflow/logged-models/{model_id}/artifacts/directories": (
        QUERY, {"model_id": "<logged>", "artifact_directory_path": ""},
    ),
    "GET mlflow/logged-models/{model_id}/artifacts/files": (
        QUERY, {"model_id": "<logged>", "artifact_file_path": "MLmodel"},
    ),
    "GET mlflow-artifacts/artifacts": (QUERY, {"path": "<home>/model"}),
    "GET mlflow-artifacts/artifacts/{path...}": (PATH, {"path": "<home>/model/MLmodel"}),
    "GET mlflow-artifacts/presigned/{path...}": (PATH, {"path": "<home>/model/MLmodel"}),
    "PUT mlflow-artifacts/artifacts/{path...}": (PATH, {"path": "<home>/put.bin"}),
    "DELETE mlflow-artifacts/artifacts/{path...}": (PATH, {"path": "<home>/never"}),
    "POST mlflow-artifacts/mpu/create/{path...}": (BODY, {"path": "a", "num_parts": 2}),
    "POST mlflow-artifacts/mpu/complete/{path...}": (
        BODY, {"path": "a", "upload_id": "u", "parts": [{"part_number": 1, "etag": "e"}]},
    ),
    "POST mlflow-artifacts/mpu/abort/{path...}": (BODY, {"path": "a", "upload_id": "u"}),
    "POST mlflow/artifacts/presigned-upload-url": (
        BODY, {"run_id": "<run>", "path": "up.bin", "expiration": 60},
    ),
    "POST mlflow/artifacts/presigned-download-url": (
        BODY, {"run_id": "<run>", "path": "model/MLmodel", "expiration": 60},
    ),
    "GET mlflow/metrics/get-history-bulk": (
        QUERY, {"run_id": ["<run>"], "metric_key": "m", "max_results": 10},
    ),
    "GET mlflow/metrics/get-history-bulk-interval": (
        QUERY,
        {"run_ids": ["<run>"], "metric_key": "m", "max_results": 10, "start_step": 0, "end_step": 9},
    ),
    "POST mlflow/experiments/search-datasets": (BODY, {"experiment_ids": ["<experiment>"]}),
    "POST /ui-api/experiments": (BODY, {"view": 1}),
    "POST /ui-api/file": (BODY, {"experiments": ["<experiment>"]}),
    "POST /ui-api/activity": (BODY, {"experiments": ["<experiment>"]}),
    **{
        f"POST /ui-api/{name}": (
            BODY,
            {
                "experiments": ["<experiment>"], "where": "metrics.m > 0", "view": 1,
                "order_by": ["metrics.m DESC"], "columns": ["metrics.m"], "offset": 0, "limit": 10,
                "by": ["params.p"], "minimize": [],
            },
        )
        for name in ("runs", "summary", "groups", "points")
    },
    **{
        f"POST /ui-api/{name}": (
            BODY, {"until": 0, "runs": [], "models": [], "experiments": [], "skip": 0},
        )
        for name in ("trash", "trash/empty")
    },
    "POST /ui-api/news": (BODY, {"experiments": ["<experiment>"], "since": 0}),
    "POST /ui-api/compare": (BODY, {"runs": ["<run>"]}),
    "POST /ui-api/series": (
        BODY,
        {"runs": ["<run>"], "keys": ["m"], "buckets": 600, "axis": "step", "low": 0.0, "high": 9.0},
    ),
}  # fmt: skip
#: What routes answer that a server of folders has no use for.
NOT_OFFERED = {"presigned/{path": 501, "/mpu/": 501, "presigned-": 400}

# Values of fields by their names: those of things that are there, and plain ones.
LEGAL = {
    "experiment_id": "<experiment>", "experiment_ids": "<experiment>", "run_id": "<run>",
    "source_run_id": "<run>", "model_id": "<logged>", "experiment_name": "<name>",
    "version": "1", "alias": "champion", "stage": "Staging", "stages": "None", "key": "k",
    "tag_key": "k", "metric_key": "m", "value": "1", "filter": "", "order_by": [], "page_token": "",
    "max_results": 10, "status": "FINISHED", "timestamp": 1, "step": 1, "start_time": 1,
    "end_time": 2,
    "model_json": '{"run_id": "<run>", "artifact_path": "model", "flavors": {}, '
                  '"utc_time_created": "2026-01-01 00:00:00"}',
    "artifact_location": "mlflow-artifacts:/elsewhere", "deployment_job_id": "",
    "source": "mlflow-artifacts:/<home>/model", "schema": "{}", "profile": "{}",
    "field_name": "metrics.m",
}  # fmt: skip
_BY_OPERATION = {
    ("create_experiment", "name"): "<new>",
    ("create_registered_model", "name"): "<new>",
    ("create_logged_model", "name"): "model",
    ("create_logged_model", "model_id"): "m-<new id>",
    ("create_run", "run_id"): "<new id>",
    ("finalize_logged_model", "status"): "LOGGED_MODEL_READY",
    ("search_logged_models", "datasets"): [],
    ("restore_run", "run_id"): "<dead run>",
    ("restore_experiment", "experiment_id"): "<dead experiment>",
}


def legal_requests(routes) -> dict[str, Asked]:
    """Return a legal request for every route of a router, one of the bases each.

    All bases of an endpoint must lead to the same handler with the same permission.
    """
    shapes: dict[tuple[str, str], list[tuple[str, Any]]] = {}
    for method, path, endpoint in routes.all():
        shapes.setdefault((method, _BASE.sub("", path, count=1)), []).append((path, endpoint))
    made: dict[str, Asked] = {}
    for number, ((method, shape), found) in enumerate(sorted(shapes.items())):
        assert 1 == len({_identity(endpoint) for _, endpoint in found}), shape
        path, endpoint = found[number % len(found)]
        made[f"{method} {shape}"] = _legal(method, path, shape, endpoint.handler)
    return made


def _identity(endpoint) -> tuple:
    handler = endpoint.handler
    who = handler._op.name if isinstance(handler, Operation) else repr(handler)
    return who, repr(endpoint.permission)


def _legal(method: str, path: str, shape: str, handler: Any) -> Asked:
    if isinstance(handler, Operation):
        op, route = handler._op, handler._route
        where = QUERY if method == "GET" else BODY
        fields = {
            field.name: _value(op.name, field)
            for field in op.fields
            if field.name not in route.defaults
        }
    else:
        where, fields = SPECIAL[f"{method} {shape}"]
        fields = copy.deepcopy(fields)
    for name in re.findall(r"\{([a-z_]+)(?:\.\.\.)?\}", path):
        path = re.sub(r"\{" + name + r"(\.\.\.)?\}", f"<={name}>", path)
    if where == BODY:
        return Asked(method, path, fields=fields)
    body = b"data" if method in ("PUT", "POST") else b""
    return Asked(method, path, query=fields, body=body)


def _value(operation: str, field: Any) -> Any:
    if (operation, field.name) in _BY_OPERATION:
        return _BY_OPERATION[operation, field.name]
    if field.name == "name" and not operation.startswith(("create_e", "create_r")):
        return "<model>"
    if field.name == "new_name":
        return "<new>"
    value = _of_kind(operation, field.kind, field.name)
    return value


def _of_kind(operation: str, kind: Any, name: str) -> Any:
    if isinstance(kind, Pairs):
        return [{field.name: LEGAL.get(field.name, "1") for field in kind.item.fields}]
    if isinstance(kind, Many):
        inner = _of_kind(operation, kind.kind, name)
        return inner if isinstance(inner, list) else [inner]
    if isinstance(kind, Message):
        return {one.name: _of_kind(operation, one.kind, one.name) for one in kind.fields}
    if name in LEGAL:
        return 1.5 if kind is DOUBLE else copy.deepcopy(LEGAL[name])
    if isinstance(kind, Choice):
        return kind.names[0]
    if kind is BOOL:
        return False
    return 1 if kind in (INT32, INT64, DOUBLE) else "x"


# --- slots ---------------------------------------------------------------------------------------


class Slot(NamedTuple):
    """A place in a request where a value stands."""

    where: str
    steps: tuple

    @property
    def name(self) -> str:
        """The name of the field, also of an item of a list."""
        return next(step for step in reversed(self.steps) if isinstance(step, str))

    def put(self, asked: Asked, value: Any) -> Asked:
        """Return the request with another value here."""
        part = "query" if self.where == QUERY else "fields"
        tree = copy.deepcopy(getattr(asked, part)) if getattr(asked, part) is not None else {}
        at = tree
        for step in self.steps[:-1]:
            at = at[step]
        at[self.steps[-1]] = value
        return asked._replace(**{part: tree})


def slots(asked: Asked) -> list[Slot]:
    """Return all places of a request, down to the last leaf."""
    found = [Slot(QUERY, steps) for steps in _leaves(asked.query)]
    if isinstance(asked.fields, dict):
        found += [Slot(BODY, steps) for steps in _leaves(asked.fields)]
    return found


def _leaves(tree: Any, steps: tuple = ()) -> list[tuple]:
    if isinstance(tree, dict):
        return [leaf for key, one in tree.items() for leaf in _leaves(one, (*steps, key))]
    if isinstance(tree, list) and tree:
        return _leaves(tree[0], (*steps, 0))
    return [steps] if steps else []


# --- hostile values ------------------------------------------------------------------------------

SEPARATORS = ["/", "\\", "%2f", "%5c", "%252f", "%25252f", "%255c"]
DOTS = ["..", "%2e%2e", "%252e%252e", "%25252e%25252e", ".%2e"]
PREFIXES = ["", "a", "model", ".", "a/b"]
TRAVERSALS = [
    # T01 to T04, T06, T07, T22 of the list of hostile inputs
    "../../etc/passwd", "..", "./../x", "a/../b", "a/../../b", "/abs", "path/../to/file", "/",
    "//etc/passwd", "../10/x", "../1evil/secret", "..\\..\\x", "\\\\host\\share\\x", "C:\\x",
    "C:/x", "%c0%ae%c0%ae/x", "%ff", "%00", "a%00.png", "a\0b", "\r\n", "a%0d%0ab", "a//b", "a/./b",
    "." , "./", "../", "a/..", "x" * 5000, "x" * 300, "/".join("a" * 2000), "\ud800", "a;/../b",
    "?/../../x", "#/../x", "..;/x", "..%00/x", "....//x",
]  # fmt: skip
#: Names that mean something else on Windows: read as they are, never written.
WINDOWS = ["C:x", "file.txt:stream", "CON", "nul.txt", "a/COM1", "name.", "name "]
#: Legal look-alikes: kept, and read back.
ODD = [
    "．．",
    "．．．/x",
    "a?",
    "a#b",
    "a;b",
    "a b",
    "é/日本",
    "~",
    "$(x)",
    "'q'",
    "-rf",
    "a&b=c",
    "a+b",
]


def traversals() -> list[str]:
    """Dots × separators × what stands before × how deep, and those with names."""
    found = list(TRAVERSALS)
    for dots, separator, prefix, depth in itertools.product(DOTS, SEPARATORS, PREFIXES, (1, 4)):
        start = prefix + separator if prefix else ""
        found.append(f"{start}{(dots + separator) * depth}outside/canary")
    return found


IDS = ["..", ".", "../<run>", "<run>/../x", "<run>/", "<run> ", "<run short>", "<run long>",
       "<run upper>", "0" * 100_000, "٠" * 32, "a\0b", "%2e%2e", "x' OR '1'='1", "-1", "*", "%",
       "<run>;", "\ud800"]  # fmt: skip
NUMBERS = ["-1", "0x0", "1e3", "９", "1;DROP", str(2**31), str(2**63), str(2**64), "../0", "00", "+0",
           " 0", "0 ", "9" * 5000, "a", "NaN", "1.0", "_"]  # fmt: skip
NAMES = ["a/b", "a%2Fb", "a%252Fb", "..", ".", "<model>%20", "<model upper>", " ", "\t", "é", "é",
         "a\u200bb", "x" * 257, "🦉", "a:b", "a\0b", "a\nb", "\ud800", "models:/x/1", "../x", "a\\b"]  # fmt: skip
VERSIONS = ["latest", "v1", "-1", "01", str(2**40), str(2**70), "1 OR 1=1", "1.0", "１", " 1", "", "0",
            "1e0", "champion/../x", "../1", "null"]  # fmt: skip
ALIASES = ["latest", "LATEST", "v1", "champion/../x", "-", "a b", "a/b", "é", "x" * 300, "", "@"]
STAGES = ["", "latest", "production ", "x", "1", "Staging\0", "../Staging"]
KEYS = ["../x", "a/../../b", "a//b", "a/b", ".", "..", "CON", "a:b", "k" * 251, "__proto__",
        "constructor", "a\nb", "a\0b", "/abs", "a/", "a\\b", "<script>", "é", "\ud800", "", " ",
        "%2e%2e/x", "mlflow.user"]  # fmt: skip
TEXTS = ["x" * 9000, "a\0b", "\u202e", "\x1b[2J", "=cmd|' /C calc'!A1", "<script>", "${jndi:ldap://x}",
         "{{7*7}}", "%s%n%(x)s", "\r\nX: y", "'; DROP TABLE runs; --", "\ud800", ""]  # fmt: skip
FILTERS = [
    "metrics.a > 1; DROP TABLE runs", "params.x = ''' OR 1=1 --", "params.`a``b` = 'x'",
    "params.x = “y”", "metrics.a /* x */ > 1", "params.x = '\0'", "tags.x LIKE '" + "%a" * 2000 + "'",
    "tags.x LIKE '" + "a%" * 500 + "b'", "metrics.a RLIKE '(a+)+$'", "(" * 20_000, "(" * 50 + "1",
    " AND ".join(["metrics.a > 1"] * 500), "x" * 100_000, "metrics.a > ", "attributes.x = 'y'",
    "attributes.run_id = ''", "name = '' OR ''=''", "tags.`\ud800` = 'x'", "params.x = '\\'",
    "name LIKE '%' ESCAPE '", "metrics.a > 1e999", "metrics.a > nan", "1=1", "'", '"', "`", ";", "--",
]  # fmt: skip
ORDERS = ["metrics.x; select pg_sleep(9)", "metrics.x ASC, (SELECT 1)", "x", "", "metrics.", "1", "--",
          "attributes.start_time DESC DESC", "`", "name'", "params.\0 ASC", "\ud800"]  # fmt: skip
SIZES = [0, -1, 2**31, 10**9, 2**63, 2**64, "1000", "x", 1.5, "NaN", "", "1e3", "0x10", True, "-0"]
TOKENS = ["x", "AAAA", "====", "gASVAAAAAAAAAC4=", "eyJvZmZzZXQiOiAtMX0=", "LTE=", "a" * 100_000,
          "bnVsbA==", "W10=", "e30=", "\ud800", "MQ==", "../x"]  # fmt: skip
LOCATIONS = [
    # T14 and T15
    "http:///?/../../../etc/", "http:///#/../../etc/", "http://host#/../../etc/",
    "http://h/;/../../etc", "http://u:p@h/", "http://h:99999/", "http://[::1/", "ht\ttp://h/x",
    "http://h/a\nb", "s3://b/../../x", "s3://b/%2e%2e/x", "s3://b/%252e%252e/x", "gs://b//x",
    "wasbs://evil@acct/..", "mlflow-artifacts:/../..", "mlflow-artifacts://evil/x", "runs:/x/y",
    "file:///a/../etc", "file://evil/etc", "/a/../etc", "\\\\h\\s", "a;b", "s3://b/x?y", "s3://b/x#y",
    " /etc", "\ud800:",
]  # fmt: skip
SOURCES = [
    # T09 to T11
    "file:///etc", "file:etc", "FILE:///etc", "file://localhost/etc", "file://evil/etc", "/etc",
    "//proc/self/root", "//./etc", " ", ".", "..", "mlflow-artifacts:/../..",
    "mlflow-artifacts://evil/x", "gopher://h/x", "jar:file:/x", "models:/a/1/../../b/1",
    "s3://other/..", "http://u:p@h/x", "http://h/x?y", "runs:/../x", "runs:/<run>/../x", "models:/",
    "javascript:alert(1)", "data:text/html,x", "/<outside>/canary", "file:///<outside>/canary",
    "\ud800",
]  # fmt: skip
JUNK = [
    None,
    [],
    {},
    True,
    -1,
    0,
    1.5,
    2**64,
    10**400,
    "",
    "\ud800",
    [[]],
    [None],
    {"a": {}},
    "NaN",
]
DEEP = b"[" * 100_000

BY_NAME: dict[str, list[Any]] = {
    **dict.fromkeys(("path", "artifact_directory_path", "artifact_file_path"), TRAVERSALS),
    **dict.fromkeys(("run_id", "run_uuid", "run_ids", "runs", "source_run_id", "model_id"), IDS),
    **dict.fromkeys(("experiment_id", "experiment_ids", "experiments"), NUMBERS),
    **dict.fromkeys(("name", "new_name", "experiment_name"), NAMES),
    **dict.fromkeys(("key", "tag_key", "metric_key", "keys", "by", "columns"), KEYS),
    **dict.fromkeys(("filter", "where"), FILTERS),
    **dict.fromkeys(("max_results", "limit", "offset", "buckets"), SIZES),
    "order_by": ORDERS, "version": VERSIONS, "alias": ALIASES, "stage": STAGES, "stages": STAGES,
    "page_token": TOKENS, "artifact_location": LOCATIONS, "source": SOURCES,
}  # fmt: skip


def hostile_requests(asked: Asked, names: set[str] | None = None) -> list[tuple[Slot, Any, Asked]]:
    """Return the request with each hostile value of each of its slots.

    Args:
        asked: the legal one.
        names: only slots of these names; all when absent, those without values of their own too.
    """
    found = []
    for slot in slots(asked):
        if names is not None and slot.name not in names:
            continue
        for value in BY_NAME.get(slot.name, TEXTS):
            listed = slot.name == "order_by" and len(slot.steps) == 1
            found.append((slot, value, slot.put(asked, [value] if listed else value)))
    return found


# --- sending -------------------------------------------------------------------------------------


def filled(tree: Any, things: dict[str, str]) -> Any:
    """Return a value with the things of one server in place of the words that stand for them."""
    if isinstance(tree, str):
        for word, thing in things.items():
            if word in tree:
                tree = tree.replace(word, thing)
        return tree
    if isinstance(tree, list):
        return [filled(one, things) for one in tree]
    if isinstance(tree, dict):
        return {name: filled(one, things) for name, one in tree.items()}
    return tree


def target(asked: Asked, things: dict[str, str]) -> tuple[bytes, bytes, bytes]:
    """Return the path as it is sent, the query and the body of a request."""
    query, fields = filled(asked.query, things), filled(asked.fields, things)
    path = filled(asked.path, things)
    for name in re.findall(r"<=([a-z_]+)>", path):
        source = fields if isinstance(fields, dict) and name in fields else query
        value = source.pop(name, "")
        text = value if isinstance(value, str) else json.dumps(value)
        # Percent signs stand for themselves: the values are encoded to all depths already.
        safe = "/%" if name == "path" else "%"
        path = path.replace(f"<={name}>", quote(text.encode("utf-8", "surrogatepass"), safe=safe))
    pairs = [
        (name, one if isinstance(one, str) else json.dumps(one))
        for name, value in query.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    text = urlencode(pairs, errors="surrogatepass")
    body = asked.body if fields is None else json.dumps(fields).encode()
    return (
        quote(path.encode("utf-8", "surrogatepass"), safe="/%{}:@!$&'()*+,;=~").encode(),
        text.encode(),
        body,
    )
