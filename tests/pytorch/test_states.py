"""State dictionaries of PyTorch."""

import os

import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models.deserialize import POLICY_VARIABLE

torch = pytest.importorskip("torch", reason="torch is not installed; scripts/flavors brings it")


class Thing:
    """No tensor."""


def test_tensors_come_back_and_no_code_runs(tmp_path, monkeypatch):
    state = torch.nn.Linear(3, 2).state_dict()
    mlflow.pytorch.save_state_dict(state, tmp_path / "s")
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    assert os.listdir(tmp_path / "s") == ["state_dict.pth"]
    loaded = mlflow.pytorch.load_state_dict(tmp_path / "s")
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_logged_ones_are_loaded_by_their_uris():
    state = torch.nn.Linear(3, 2).state_dict()
    with mlflow.start_run() as run:
        mlflow.pytorch.log_state_dict(state, "weights")

    loaded = mlflow.pytorch.load_state_dict(f"runs:/{run.info.run_id}/weights")
    assert loaded.keys() == state.keys()


def test_more_than_tensors_needs_the_word_and_the_consent(tmp_path, monkeypatch):
    mlflow.pytorch.save_state_dict({"a": Thing()}, tmp_path / "s")

    with pytest.raises(MlflowException, match="cannot be read"):
        mlflow.pytorch.load_state_dict(tmp_path / "s")
    assert mlflow.pytorch.load_state_dict(tmp_path / "s", weights_only=False).keys() == {"a"}
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="a pickle, which can run any code"):
        mlflow.pytorch.load_state_dict(tmp_path / "s", weights_only=False)


def test_what_is_no_dictionary(tmp_path):
    with pytest.raises(TypeError, match="Invalid object type for `state_dict`"):
        mlflow.pytorch.save_state_dict([1], tmp_path / "s")
    torch.save([1], tmp_path / "state_dict.pth")
    with pytest.raises(MlflowException, match="which is no state dictionary"):
        mlflow.pytorch.load_state_dict(tmp_path)
