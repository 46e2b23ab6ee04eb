"""`PyFuncBackend`, as other tools use it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mlflow.exceptions import MlflowException
from mlflow.pyfunc.backend import PyFuncBackend

from .saved import saved_model


def test_predict(tmp_path):
    """A file in, a file out."""
    path, estimator, frame = saved_model(tmp_path / "m")
    frame.to_csv(tmp_path / "in.csv", index=False)
    backend = PyFuncBackend(config={}, no_conda=True, workers=2, install_mlflow=False)
    backend.predict(path, str(tmp_path / "in.csv"), str(tmp_path / "out.json"), "csv")
    found = json.loads((tmp_path / "out.json").read_text())["predictions"]

    assert np.allclose(estimator.predict(frame), found)
    assert 0 == backend.prepare_env(path)
    assert backend.can_score_model()
    assert not backend.can_build_image()


def test_what_is_not_here():
    """MLServer is refused in words."""
    with pytest.raises(MlflowException, match="not in this version"):
        PyFuncBackend({}).serve("m", 1, "127.0.0.1", 60, enable_mlserver=True)


def test_serve_passes_everything_on(tmp_path, monkeypatch):
    """The server is a process with the given address, and its exit code comes back."""
    started = []

    class Process:
        def __init__(self, command, stdout, stderr):
            started.append(command)

        def wait(self):
            return 7

    monkeypatch.setattr("mlflow.scoring.backend.subprocess.Popen", Process)
    path, _, _ = saved_model(tmp_path / "m")

    assert 7 == PyFuncBackend({}, workers=3).serve(path, 5001, "127.0.0.1", 9)
    for option in ("--port=5001", "--host=127.0.0.1", "--timeout=9", "--workers=3"):
        assert option in started[0]
