import asyncio

import dump
import numpy as np
import pandas as pd
from mlserver.codecs import NumpyRequestCodec, PandasCodec
from mlserver.settings import ModelParameters, ModelSettings
from mlserver_mlflow import MLflowRuntime
from sklearn.linear_model import LinearRegression

import mlflow

table = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]})
model = LinearRegression().fit(table, table.a * 2 + table.b)
mlflow.sklearn.save_model(
    model, "columns", signature=mlflow.models.infer_signature(table, model.predict(table))
)
array = table.to_numpy()
mlflow.sklearn.save_model(
    LinearRegression().fit(array, array[:, 0]), "tensor",
    signature=mlflow.models.infer_signature(array, array[:, 0]),
)  # fmt: skip


async def ask(name, request):
    runtime = MLflowRuntime(
        ModelSettings(name=name, implementation=MLflowRuntime, parameters=ModelParameters(uri=name))
    )
    runtime.ready = await runtime.load()
    answer = await runtime.predict(request)
    metadata = await runtime.metadata()
    return {
        "ready": runtime.ready,
        "inputs": [(one.name, one.datatype, one.shape) for one in metadata.inputs or []],
        "outputs": [(one.name, one.datatype, one.shape) for one in metadata.outputs or []],
        "answer": [
            (one.name, one.datatype, one.shape, np.round(list(one.data), 6).tolist())
            for one in answer.outputs
        ],
    }


dump.say(
    columns=asyncio.run(ask("columns", PandasCodec.encode_request(table))),
    tensor=asyncio.run(ask("tensor", NumpyRequestCodec.encode_request(array))),
)
