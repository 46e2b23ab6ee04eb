"""The list of hostile inputs to a server and its clients: each row is tried by a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
#: T: paths and addresses; A: who may do what; D: queries and bodies; W: browsers; N: requests of the server's own; C: clients.
ROWS = [
    *(f"{kind}{number:02d}" for kind, count in {"t": 25, "a": 17, "d": 20, "w": 17, "n": 8}.items()
      for number in range(1, count + 1)),
    "c06", "c08", "c09", "c10", "c11", "c12", "c13", "c14", "c16",
]  # fmt: skip
_VALUES = "hostile/test_server_requests.py::test_hostile_values"
#: Rows whose tests have names of their own.
ELSEWHERE = {
    **dict.fromkeys(("t09", "t11", "t14", "t15", "t17", "t18", "t19", "t20", "t21"), _VALUES),
    **dict.fromkeys(("d02", "d03", "d04", "d05"), _VALUES),
    "a01": "server/auth/test_guard.py::test_every_route_is_closed",
    "a02": "server/auth/test_guard.py::test_other_spellings_are_closed",
    "a03": "server/auth/test_access.py::test_servers_start_with_one_administrator",
    "a04": "server/auth/test_guard.py::test_well_known_ones_open_nothing",
    "a05": "server/auth/test_guard.py::test_odd_headers_are_nobody",
    "a06": "server/auth/test_guard.py::test_cookies_are_hidden_from_pages_and_other_sites",
    "a07": "server/auth/test_throttle.py::test_two_hundred_guesses_take_hours",
    "a08": "server/auth/test_guard.py::test_changes_count_at_once",
    "a09": "server/auth/test_accounts.py::test_names_that_look_like_another_are_taken",
    "a10": "server/auth/test_access.py::test_nothing_changes_through_any_route",
    "a11": "server/auth/test_access.py::test_who_may_edit_may_not_remove_artifacts",
    "a12": "server/auth/test_permitted.py::test_what_may_not_be_read_does_not_exist",
    "a13": "server/auth/test_permitted.py::test_what_a_call_names_beside_is_asked_too",
    "a14": "server/auth/test_permitted.py::test_who_makes_something_manages_it",
    "a15": "server/auth/test_guard.py::test_other_spellings_are_closed",
    "a16": "server/auth/test_endpoints.py::test_nothing_answers_with_a_hash",
    "a17": "server/auth/test_guard.py::test_a_database_that_fails_lets_nobody_in",
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
