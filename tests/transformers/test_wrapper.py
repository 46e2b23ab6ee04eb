"""A pipeline as pyfunc calls it."""

from __future__ import annotations

import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.transformers.wrapper import check_template, plain_example
from tests.interop.tiny_pipelines import CHOICE, ONE, PIPELINES

pytest.importorskip(
    "transformers", reason="transformers is not installed; scripts/flavors brings it"
)
pytestmark = pytest.mark.filterwarnings("ignore")


def test_the_output_that_a_signature_is_inferred_from():
    pipeline = PIPELINES["classifier"][0]()

    found = mlflow.transformers.generate_signature_output(pipeline, ONE, params={"top_k": 2})

    assert found.shape == (1, 2)
    with pytest.raises(MlflowException, match="not a valid transformers Pipeline"):
        mlflow.transformers.generate_signature_output(3, ONE)
    with pytest.raises(MlflowException, match="not valid for pipeline"):
        mlflow.transformers.generate_signature_output(pipeline, ONE, params={"nonsense": 2})


def test_examples_of_choices_are_texts_and_the_user_s_own_stays():
    given = dict(CHOICE)

    found = plain_example(PIPELINES["choice"][0](), (given, {"multi_label": True}))

    assert found[0]["candidate_labels"] == '["one", "two"]'
    assert given == CHOICE


@pytest.mark.parametrize("template", [3, "", "{}", "{prompt} {prompt}", "{prompt!r:{x}}", "{"])
def test_what_is_no_template_is_refused(template):
    with pytest.raises(MlflowException, match="Argument `prompt_template` must be a string"):
        check_template(template, "fill-mask")
