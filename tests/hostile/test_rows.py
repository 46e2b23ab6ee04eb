"""The list of hostile inputs to a server and its clients: each row is tried by a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
#: T: paths and addresses; D: queries and bodies; W: browsers; N: requests of the server's own; C: clients.
ROWS = [
    *(f"{kind}{number:02d}" for kind, count in {"t": 25, "d": 20, "w": 17, "n": 8}.items()
      for number in range(1, count + 1)),
    "c06", "c08", "c09", "c10", "c11", "c12", "c13", "c14", "c16",
]  # fmt: skip
_VALUES = "hostile/test_server_requests.py::test_hostile_values"
#: Rows whose tests have names of their own.
ELSEWHERE = {
    **dict.fromkeys(("t09", "t11", "t14", "t15", "t17", "t18", "t19", "t20", "t21"), _VALUES),
    **dict.fromkeys(("d02", "d03", "d04", "d05"), _VALUES),
    "t16": "server/test_artifacts.py::test_records_that_name_other_places",
    "t22": "hostile/test_server_requests.py::test_t05_and_t08_things_that_are_no_files",
    "t25": "server/test_archive.py::test_names_that_mean_something_elsewhere",
    "d01": "hostile/test_server_requests.py::test_searches_are_answered",
    "d10": "hostile/test_server_requests.py::test_values_of_other_kinds",
    "d15": "server/test_access_log.py::test_lines",
    "d18": "faults/test_server.py::test_a_server_that_is_killed_under_its_writers",
    "w07": "hostile/test_server_browsers.py::test_w01_names_of_strangers",
    "w10": "e2e/test_pages.py::test_text_of_users_is_text",
    "w13": "e2e/test_pages.py::test_text_of_users_is_text",
    "w12": "server/test_access.py::test_signing_in_leads_nowhere_else",
    "w15": "e2e/test_pages.py::test_addresses_that_lead_nowhere",
    "c09": "transport/test_connections.py::test_a_stranger_is_not_believed",
    "c11": "store/backends/sql/upgrade/test_upgrading.py::test_killed",
    "c13": "server/test_access.py::test_an_open_server_is_not_started_by_accident",
    "c14": "store/test_migrate.py::test_what_cannot_be_read_is_told",
    "c16": "faults/test_threads.py::test_what_was_acknowledged_is_there_and_the_process_ends",
}
#: Rows that are answered in another way, and how.
OTHERWISE = {
    "d13": "A server whose one credential is shared cannot tell its callers apart. Its queue is "
    "bounded and answers 503 with Retry-After: faults/test_server.py.",
}


def _named_rows() -> set[str]:
    """Return the rows that names of tests tell: `d07`, `t01_to_t07`, `t05_and_t08`."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            for kind, first, last in re.findall(r"([a-z])(\d\d)_to_[a-z](\d\d)", name):
                found |= {f"{kind}{number:02d}" for number in range(int(first), int(last) + 1)}
            found |= set(re.findall(r"(?<=_)[a-z]\d\d(?=_|$)", name))
    return found


def test_every_row_is_tried():
    """By a test of its name, or by one that is named here."""
    assert [] == [row for row in ROWS if row not in {*_named_rows(), *ELSEWHERE, *OTHERWISE}]


@pytest.mark.parametrize("row", ELSEWHERE)
def test_the_tests_named_here_are_there(row):
    path, name = ELSEWHERE[row].split("::")

    assert re.search(rf"^def {name}\(", (TESTS / path).read_text(encoding="utf-8"), re.MULTILINE)
