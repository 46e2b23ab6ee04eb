"""One wine-like row through `mlflow models serve`: start, latency, throughput, memory."""

from __future__ import annotations

import json
import os
import sys
import tempfile

from load import load, request
from measure import found, pick
from servers import free_port, resident, running

COLUMNS = 11
SECONDS = pick(2.0, 1.0)


def _save(folder: str) -> tuple[str, bytes]:
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import ElasticNet

    import mlflow
    from mlflow.models import infer_signature

    mlflow.set_tracking_uri(f"file://{folder}/mlruns")
    names = [f"feature {i}" for i in range(COLUMNS)]
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(500, COLUMNS)), columns=names)
    model = ElasticNet(alpha=0.1).fit(frame, frame.sum(axis=1))
    path = os.path.join(folder, "model")
    mlflow.sklearn.save_model(model, path, signature=infer_signature(frame, model.predict(frame)))
    body = {"dataframe_split": {"columns": names, "data": [frame.iloc[0].tolist()]}}
    return path, json.dumps(body).encode()


def main() -> None:
    """Measure a server of one worker."""
    with tempfile.TemporaryDirectory() as folder:
        path, body = _save(folder)
        port = free_port()
        command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", path, "-p", str(port),
                   "--env-manager", "local"]  # fmt: skip
        ping = f"http://127.0.0.1:{port}/ping"
        with running(command, folder, ping) as server:
            found("scoring: start to /ping", "s", [server.started])
            message = request("/invocations", body)
            load(port, message, 1, SECONDS / 2)
            alone = load(port, message, 1, SECONDS)
            found("scoring: one row, alone", "ms", [alone["median_ms"]])
            found("scoring: one row, 1 connection", "requests/s", [alone["per_second"]],
                  waits_ms=alone["waits_ms"])  # fmt: skip
            many = load(port, message, 16, SECONDS)
            found("scoring: one row, 16 connections", "requests/s", [many["per_second"]],
                  waits_ms=many["waits_ms"])  # fmt: skip
            found("scoring: resident memory", "MB", [resident(server.group)])


main()
