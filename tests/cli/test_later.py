"""Commands of later versions, at any depth, are refused as such and not as unknown."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from mlflow.cli import cli


@pytest.mark.parametrize(
    "command",
    ["experiments update -x 0", "runs link-traces --run-id r --trace-id t", "traces search -x 0"],
)
def test_a_command_whose_time_has_not_come(command: str) -> None:
    """Options of MLflow's command are taken; what is said is that it comes later."""
    found = CliRunner().invoke(cli, command.split())

    assert found.exit_code == 1
    assert "is not in this version yet" in found.stderr
    assert command.split()[1] not in CliRunner().invoke(cli, [command.split()[0], "--help"]).stdout
