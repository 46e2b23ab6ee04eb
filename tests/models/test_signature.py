"""Signatures: printed and kept as MLflow's, inferred from samples, never in the way of logging."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.models.signature import ModelSignature, infer_signature
from mlflow.types.schema import AnyType, ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

pytestmark = pytest.mark.filterwarnings("ignore:Hint. Inferred schema contains integer")
LONG = Schema([ColSpec("long", "a")])
PARAMS = ParamSchema([ParamSpec("p", "long", 1)])


def test_a_signature_prints_as_people_know_it():
    signature = infer_signature(
        pd.DataFrame({"bedrooms": [1], "area": [0.5]}), np.array([1.5]), {"p": 1}
    )
    assert str(signature) == (
        "inputs: \n"
        "  ['bedrooms': long (required), 'area': double (required)]\n"
        "outputs: \n"
        "  [Tensor('float64', (-1,))]\n"
        "params: \n"
        "  ['p': long (default: 1)]\n"
    )


@pytest.mark.parametrize(
    "signature",
    [
        ModelSignature(LONG), ModelSignature(None, LONG), ModelSignature(params=PARAMS),
        ModelSignature(LONG, Schema([TensorSpec(np.dtype("f4"), (-1, 2))]), PARAMS),
    ],
)  # fmt: skip
def test_signatures_are_read_back(signature):
    assert ModelSignature.from_dict(signature.to_dict()) == signature
    assert set(signature.to_dict()) == {"inputs", "outputs", "params"}
    assert all(part is None or isinstance(part, str) for part in signature.to_dict().values())


def test_the_form_of_version_2_6_is_read():
    form = {
        "inputs": '[{"name": "a", "type": "double", "optional": true}]',
        "outputs": '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]',
    }
    signature = ModelSignature.from_dict(form)
    assert repr(signature.inputs) == "['a': double (optional)]"
    assert signature.params is None


def test_an_empty_signature_is_refused():
    for make in (ModelSignature, infer_signature, lambda: ModelSignature.from_dict({})):
        with pytest.raises(ValueError, match="At least one of inputs, outputs or params"):
            make()


@pytest.mark.parametrize("wrong", [{"inputs": 3}, {"outputs": "x"}, {"params": [1]}])
def test_parts_of_other_types_are_refused(wrong):
    with pytest.raises(TypeError, match=r"got '(int|str|list)'"):
        ModelSignature(**wrong)


def test_signatures_differ_by_every_part():
    assert ModelSignature(LONG) != ModelSignature(None, LONG)
    assert ModelSignature(LONG) != ModelSignature(LONG, params=PARAMS)
    assert ModelSignature(LONG) != 3


@pytest.mark.parametrize("side", ["inputs", "outputs"])
@pytest.mark.parametrize(
    "data", [pd.DataFrame({"a": np.array([1], "uint64")}), [1, "x"], object(), {1: 2}]
)
def test_a_side_that_cannot_be_inferred_is_of_any_type(side, data, caplog):
    with caplog.at_level(logging.WARNING, logger="mlflow"):
        signature = infer_signature(**{f"model_{side[:-1]}": data})
    assert getattr(signature, side) == Schema([ColSpec(AnyType())])
    assert f"Failed to infer schema for {side}" in caplog.text


def test_params_that_cannot_be_inferred_are_refused():
    with pytest.raises(MlflowException, match="Failed to infer schema for parameters"):
        infer_signature(params={"a": None})


def test_set_signature_is_found_here_as_well():
    import mlflow.models.amend as home
    import mlflow.models.signature as module

    assert module.set_signature is home.set_signature
