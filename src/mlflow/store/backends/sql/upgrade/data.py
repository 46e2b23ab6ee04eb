"""What an upgrade does with the rows: what revisions of MLflow's schema moved, moved here too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, func, insert, literal, select

from mlflow.store.backends.sql.revisions import position
from mlflow.store.backends.sql.tables import latest_metrics, metrics, runs, tags
from mlflow.store.backends.sql.tables_gateway import workspaces
from mlflow.store.backends.sql.upgrade.steps import Step
from mlflow.store.backends.sql.upgrade.traces import fill_traces

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

_USER = "mlflow.user"


def users_to_tags(connection: Connection) -> None:
    """Give runs the tag with the name of their user, unless they have it."""
    has_tag = exists().where(tags.c.run_uuid == runs.c.run_uuid, tags.c.key == _USER)
    named = select(literal(_USER), runs.c.user_id, runs.c.run_uuid).where(
        runs.c.user_id.is_not(None), runs.c.user_id != "", ~has_tag
    )
    connection.execute(insert(tags).from_select(["key", "value", "run_uuid"], named))


def latest_points(connection: Connection) -> None:
    """Fill the table of the latest point of each series.

    It is the one of the largest step, then time, then value; NaN is smaller than any number.
    """
    of = metrics.c
    number = (
        func.row_number()
        .over(
            partition_by=(of.run_uuid, of.key),
            order_by=(of.step.desc(), of.timestamp.desc(), of.is_nan, of.value.desc()),
        )
        .label("place")
    )
    names = ["key", "value", "timestamp", "step", "is_nan", "run_uuid"]
    ranked = select(*(of[name] for name in names), number).subquery()
    there = latest_metrics.alias("there")
    known = exists().where(and_(there.c.run_uuid == ranked.c.run_uuid, there.c.key == ranked.c.key))
    rows = select(*(ranked.c[name] for name in names)).where(ranked.c.place == 1, ~known)
    connection.execute(insert(latest_metrics).from_select(names, rows))


def default_workspace(connection: Connection) -> None:
    """Add the workspace that everything is in."""
    if not connection.execute(
        select(workspaces.c.name).where(workspaces.c.name == "default")
    ).all():
        words = "The workspace of everything that names none"
        connection.execute(insert(workspaces).values(name="default", description=words))


# After which revision, what, and how. All can be repeated: where a database cannot take back what
# it did, an interrupted upgrade begins again.
_MOVES: tuple[tuple[str, str, Callable[[Connection], None]], ...] = (
    ("90e64c465722", "copy the users of runs to tags", users_to_tags),
    ("89d4b8295536", "find the latest point of each metric", latest_points),
    ("1b5f0d9ad7c1", "add the default workspace", default_workspace),
    ("75868b020152", "move names, tokens and costs of traces to their columns", fill_traces),
)


def moves_since(revision: str | None) -> list[Step]:
    """Return what is done with the rows of a database of a revision."""
    here = position(revision)
    return [Step(text, work=work) for after, text, work in _MOVES if here < position(after)]
