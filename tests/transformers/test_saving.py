"""Writing the parts of pipelines, their cards and licences."""

from __future__ import annotations

import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.transformers.saving import checked_model, reference
from tests.interop.tiny_pipelines import PIPELINES

pytest.importorskip(
    "transformers", reason="transformers is not installed; scripts/flavors brings it"
)
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_given_card_is_kept(tmp_path):
    from huggingface_hub import ModelCard

    card = ModelCard("---\nlicense: mit\n---\n# A card\n")
    mlflow.transformers.save_model(PIPELINES["mask"][0](), tmp_path / "m", model_card=card)

    assert "# A card" in (tmp_path / "m" / "model_card.md").read_text()
    assert (tmp_path / "m" / "model_card_data.yaml").read_text() == "license: mit"
    assert "'mit'" in (tmp_path / "m" / "LICENSE.txt").read_text()


def test_a_processor_is_kept_beside_the_parts(tmp_path):
    from transformers import Wav2Vec2Processor

    pipeline = PIPELINES["speech"][0]()
    processor = Wav2Vec2Processor(pipeline.feature_extractor, pipeline.tokenizer)
    mlflow.transformers.save_model(pipeline, tmp_path / "m", processor=processor)

    conf = Model.load(tmp_path / "m").flavors["transformers"]
    assert (conf["components"], conf["processor_type"]) == (
        ["feature_extractor", "tokenizer"], "Wav2Vec2Processor",
    )  # fmt: skip
    parts = mlflow.transformers.load_model(tmp_path / "m", return_type="components")
    assert type(parts["processor"]) is Wav2Vec2Processor
    assert mlflow.transformers.load_model(tmp_path / "m").task == "automatic-speech-recognition"


def test_a_task_that_nobody_tells_has_to_be_said():
    pipeline = PIPELINES["mask"][0]()

    with pytest.raises(MlflowException, match="task could not be inferred"):
        checked_model({"model": pipeline.model, "tokenizer": pipeline.tokenizer}, None)
    assert reference(pipeline) is None
