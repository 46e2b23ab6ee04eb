"""What is measured: the groups, their programs, on which sides, and how often."""

from __future__ import annotations

from dataclasses import dataclass

BOTH = ("stock", "millstream")
_FOLDER = (
    "A run has a metric, a param and a tag. `cold` is the first search of a process, with no "
    "derived files: Millstream makes its index of the folder then. Both folders lie in memory "
    "(`/dev/shm`) where there is room: a disk that is told of each freed block can take an hour to "
    "remove them."
)


@dataclass(frozen=True)
class Group:
    """A program, and who runs it.

    Attributes:
        name: for `--only`.
        title: the heading of its table.
        program: a file of `programs/` with its arguments.
        sides: names of `sides.py`; they take turns.
        rounds: how many turns each has.
        quick: how many in a quick run; none leaves the group out.
        limit: seconds that one turn of a side may take.
        extra: whether it is measured only when it is asked for by name.
        in_memory: gigabytes of memory that its stores may take instead of the disk.
        prepared: whether the program makes its stores before the turns, once a side.
        network: how its rows begin that wait for another process, so that a connection may stall.
        note: what to know, said above the table.
    """

    name: str
    title: str
    program: tuple[str, ...]
    sides: tuple[str, ...] = BOTH
    rounds: int = 2
    quick: int = 2
    limit: float = 180.0
    prepared: bool = False
    in_memory: float = 0.0
    extra: bool = False
    network: tuple[str, ...] = ()
    note: str = ""


GROUPS = (
    Group("import", "Importing", ("imports.py",), quick=1),
    Group("files", "Plain files", ("files.py",), quick=1),
    Group("sqlite", "SQLite", ("databases.py", "SQLite"), quick=1),
    Group("postgresql", "PostgreSQL", ("databases.py", "PostgreSQL"), quick=0, network=("",)),
    Group("mysql", "MySQL and MariaDB", ("databases.py", "MySQL"), quick=0, network=("",)),
    Group(
        "server",
        "A tracking server over SQLite",
        ("served.py",),
        sides=("stock", "fasttrackml", "fasttrackml-ours", "millstream"),
        quick=1,
        limit=240.0,
        network=("",),
        note="FastTrackML 0.6 is a server in Go; it has no pages of MLflow 3 and no model registry. "
        "Its rows were measured with both clients.",
    ),
    Group("scoring", "Scoring", ("scored.py",), quick=1, network=("",)),
    Group(
        "local",
        "Logging without a server, beside other trackers",
        ("local.py",),
        sides=("stock", "aim", "trackio", "millstream"),
        quick=1,
        limit=150.0,
        note="The calls do not promise the same: MLflow's and Millstream's have handed a point to "
        "the operating system when they return, and Aim's to its storage engine, which has; "
        "Trackio's put it in a queue in memory that a thread empties every half second. The row of "
        "the killed process shows what that means (Aim's index is made anew before its points are "
        "counted); the rows that end with the run closed compare like with like.",
    ),
    Group("install", "Installation", ("installed.py",), rounds=1, quick=1),
    Group(
        "runs",
        "More and more runs in a database",
        ("many_runs.py", "SQLite", "1000,10000,100000"),
        quick=0,
        limit=300.0,
        prepared=True,
        network=("table",),
        note="A run has 10 metrics, 10 params and 2 tags. `cold` is the first search of a process.",
    ),
    Group(
        "points",
        "Longer and longer series",
        ("many_points.py",),
        rounds=2,
        quick=1,
        limit=300.0,
        prepared=True,
        network=("chart",),
        note="A chart is what the server answers to its own pages for one that is 600 pixels wide: "
        "`ui-api/series` here, `metrics/get-history-bulk-interval` there. `first look` is the "
        "first request for that series after the server's start. Ten million points are measured "
        "on files; in a database of either side they would take minutes to write.",
    ),
    Group(
        "folder",
        "More and more runs in a folder",
        ("many_runs.py", "files", "1000,10000"),
        quick=1,
        limit=300.0,
        prepared=True,
        in_memory=1.0,
        note=_FOLDER,
    ),
    Group("flavors", "Autologging and pyfunc", ("flavors.py",), quick=0),
    Group(
        "objects",
        "An object store on this machine",
        ("objects.py",),
        quick=0,
        limit=240.0,
        extra=True,
        network=("",),
        note="`benchmarks/programs/bucket.py` plays the store; stock MLflow has boto3.",
    ),
    Group(
        "large-folder",
        "A hundred thousand runs in a folder",
        ("many_runs.py", "files", "100000"),
        rounds=1,
        quick=0,
        limit=600.0,
        prepared=True,
        in_memory=8.0,
        extra=True,
        note=f"{_FOLDER} Measured by itself: a million files take minutes to make.",
    ),
)
