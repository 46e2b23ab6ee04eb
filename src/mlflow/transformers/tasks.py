"""The tasks that pyfunc predicts with: how rows become calls of a pipeline, and its answers predictions."""

from __future__ import annotations

import base64
import binascii
import functools
import itertools
import json
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.signature import ModelSignature
from mlflow.types.duck import is_frame, is_ndarray

if TYPE_CHECKING:
    from collections.abc import Callable

# What MLflow's own wrapper understands; pipelines do not.
_NOT_FOR_PIPELINES = frozenset({"include_prompt", "collapse_whitespace"})
# How pipelines and models complain of arguments that they do not know.
_UNKNOWN_ARGUMENT = re.compile(r"unexpected keyword argument|not used by the model")


class Task(NamedTuple):
    """What pyfunc does with the pipelines of one class.

    Attributes:
        predict: takes the pipeline, the rows and the pipeline's arguments.
        inputs: the columns of the signature, as MLmodel files say them.
        outputs: the same, of predictions.
    """

    predict: Callable[[Any, list[Any], dict[str, Any]], Any]
    inputs: str
    outputs: str

    @property
    def signature(self) -> ModelSignature:
        """The signature of models that come with none."""
        return ModelSignature.from_dict({"inputs": self.inputs, "outputs": self.outputs})


def task_of(pipeline: Any) -> Task | None:
    """Return what pyfunc does with a pipeline; None for those that it cannot predict with."""
    kinds = (TASKS.get(kind.__name__) for kind in type(pipeline).__mro__)
    return next((task for task in kinds if task is not None), None)


def rows_of(data: Any) -> list[Any]:
    """Return data as a list of rows: texts, bytes, arrays, or dictionaries of columns.

    Args:
        data: whatever `predict` was called with.
    """
    if is_frame(data):
        names = list(data.columns)
        if names == [0]:
            return list(data[0])
        return list(data.to_dict(orient="records"))
    if isinstance(data, dict):
        return _exploded(data)
    if is_ndarray(data):
        return data.tolist() if data.dtype.kind in "OUT" else [data]
    return [data] if isinstance(data, (str, bytes)) or not hasattr(data, "__iter__") else list(data)


def _exploded(columns: dict[Any, Any]) -> list[Any]:
    # Columns of equal length are rows.
    lengths = {len(value) if isinstance(value, list) else None for value in columns.values()}
    if None in lengths or len(lengths) != 1:
        return [columns]
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def call(pipeline: Any, *data: Any, **arguments: Any) -> Any:
    """Call a pipeline.

    Raises:
        MlflowException: it does not know one of the arguments.
    """
    known = {name: value for name, value in arguments.items() if name not in _NOT_FOR_PIPELINES}
    try:
        return pipeline(*data, **known)
    except (TypeError, ValueError) as error:
        if not _UNKNOWN_ARGUMENT.search(str(error)):
            raise
        raise invalid(
            "The params provided to the `predict` method are not valid for pipeline "
            f"{type(pipeline).__name__}: {error}"
        ) from error


# ---------------------------------------------------------------------- texts


def texts_of(rows: list[Any]) -> list[str]:
    """Return one text a row: of rows with columns, the first.

    Raises:
        MlflowException: there is something else than texts.
    """
    found = [next(iter(row.values()), None) if isinstance(row, dict) else row for row in rows]
    return [_text(value) for value in found]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise MlflowException(
        f"The input data is of an incorrect type. {type(value)} is invalid. Must be either string "
        "or List[str]",
        error_code="INVALID_PARAMETER_VALUE",
    )


def _predict_classes(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    import pandas as pd

    for row in rows:
        if not isinstance(row, dict):
            _text(row)
        elif not set(row) <= {"text", "text_pair"}:
            raise invalid(
                "Text Classification pipelines may only define dictionary inputs with keys "
                f"defined as {{'text', 'text_pair'}}, not {sorted(map(str, row))}"
            )
    return pd.DataFrame(call(pipeline, rows, **arguments))


def _predict_tokens(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    answers = call(pipeline, texts_of(rows), **arguments)
    return [
        ",".join(token["entity_group"] if "entity_group" in token else token["entity"] for token in answer)
        for answer in answers
    ]  # fmt: skip


def _predict_masks(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    texts = texts_of(rows)
    answers = call(pipeline, texts, **arguments)
    # Of a single text, the pipeline answers without the list around it.
    found = [_best_words(answer) for answer in ([answers] if len(texts) == 1 else answers)]
    return found[0] if len(found) == 1 and isinstance(found[0], list) else found


def _best_words(answer: list[Any]) -> Any:
    if isinstance(answer[0], dict):
        return answer[0]["token_str"]
    return [mask[0]["token_str"] for mask in answer]


def _predict_features(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    import numpy as np

    # As in MLflow, whose answer holds the tokens of the first text only.
    return np.array(call(pipeline, texts_of(rows), **arguments)[0][0])


def _predict_texts(pipeline: Any, rows: list[Any], arguments: dict[str, Any], key: str) -> Any:
    answers = call(pipeline, texts_of(rows), **arguments)
    # Where several answers were asked for, the first is the likeliest.
    first = [answer[0] if isinstance(answer, list) else answer for answer in answers]
    return [answer[key].strip() for answer in first]


def _predict_labelled_texts(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    texts = [
        " ".join(f"{name}: {value}" for name, value in row.items()) if isinstance(row, dict) else row
        for row in rows
    ]  # fmt: skip
    return _predict_texts(pipeline, texts, arguments, "generated_text")


# ------------------------------------------------------------------ questions


def _predict_answers(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    wanted = ("question", "context")
    for row in rows:
        if not isinstance(row, dict) or set(row) != set(wanted):
            raise invalid(
                f"Questions are rows with the keys 'question' and 'context', not {str(row)[:200]}"
            )
    columns = {name: [_text(row[name]) for row in rows] for name in wanted}
    answers = call(pipeline, **columns, **arguments)
    found: list[str] = []
    for answer in answers if isinstance(answers, list) else [answers]:
        found += (one["answer"] for one in (answer if isinstance(answer, list) else [answer]))
    return found


def _predict_choices(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    import pandas as pd

    found = []
    questions = [_choice(row) for row in rows]
    # Rows that ask the same are asked at once.
    for _, same in itertools.groupby(questions, key=lambda question: question[1]):
        together = list(same)
        texts = [text for texts, _ in together for text in texts]
        answers = call(pipeline, sequences=texts, **together[0][1], **arguments)
        for answer in answers if isinstance(answers, list) else [answers]:
            for label, score in zip(answer["labels"], answer["scores"], strict=True):
                found.append({"sequence": answer["sequence"], "labels": label, "scores": score})
    return pd.DataFrame(found)


def _choice(row: Any) -> tuple[list[str], dict[str, Any]]:
    if not isinstance(row, dict) or not {"sequences", "candidate_labels"} <= set(row):
        raise invalid(
            "Choices are rows with the keys 'sequences', 'candidate_labels' and, if wanted, "
            f"'hypothesis_template', not {str(row)[:200]}"
        )
    texts = _listed(row["sequences"])
    labels = _listed(row["candidate_labels"])
    # One text of labels is taken apart by the pipeline, at its commas.
    asked: dict[str, Any] = {"candidate_labels": labels[0] if len(labels) == 1 else labels}
    if row.get("hypothesis_template"):
        asked["hypothesis_template"] = row["hypothesis_template"]
    return texts, asked


def _listed(value: Any) -> list[str]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            pass
    if isinstance(value, str):
        return [value]
    return [_text(entry) for entry in value]


# ---------------------------------------------------------- pictures and sounds


def _predict_images(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    import pandas as pd

    found = [next(iter(row.values()), None) if isinstance(row, dict) else row for row in rows]
    return pd.DataFrame(call(pipeline, [_picture(value) for value in found], **arguments))


def _picture(value: Any) -> Any:
    if isinstance(value, (str, bytes)):
        content = _content(value)
        if isinstance(content, str):
            return content
        import io

        from PIL import Image

        return Image.open(io.BytesIO(content))
    return value


def _content(value: str | bytes) -> str | bytes:
    if isinstance(value, str) and re.match(r"[A-Za-z][A-Za-z+.-]+://", value):
        raise invalid(
            "Pictures and sounds are not fetched from addresses, since whoever asks a model for a "
            "prediction would choose where this machine connects to. Give their content (bytes, "
            f"base64) or a path instead of {value[:200]!r}."
        )
    # Content is no name of a file, and may be longer than names can be.
    if isinstance(value, str) and len(value) < 4096 and os.path.isfile(value):
        return value
    if isinstance(value, str):
        value = re.sub(r"^data:[\w/+.-]+;base64,", "", value)
    encoded = value if isinstance(value, bytes) else value.encode()
    try:
        return base64.b64decode(re.sub(rb"\s", b"", encoded), validate=True)
    except (binascii.Error, ValueError):
        if isinstance(value, bytes):
            return value
    raise invalid(
        "An invalid string input was provided. String inputs to audio or image files must be "
        f"either a file location or base64 content. Received (truncated): {value[:20]}..."
    )


def _sound(value: Any) -> Any:
    import numpy as np

    if isinstance(value, (str, bytes)):
        return _content(value)
    return np.asarray(value, dtype="float32") if isinstance(value, list) else value


def _sounds(rows: list[Any]) -> list[Any]:
    if rows and all(isinstance(row, float) for row in rows):
        # One sound as a plain list.
        rows = [rows]
    named = [next(iter(row.values())) if isinstance(row, dict) and len(row) == 1 else row for row in rows]  # fmt: skip
    return [_sound(row) for row in named]


def _predict_sound_classes(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    import pandas as pd

    answers = [call(pipeline, sound, **arguments) for sound in _sounds(rows)]
    return pd.DataFrame(answers[0] if len(answers) == 1 else answers)


def _predict_speech(pipeline: Any, rows: list[Any], arguments: dict[str, Any]) -> Any:
    answers = [call(pipeline, sound, **arguments) for sound in _sounds(rows)]
    if arguments.get("return_timestamps"):
        return [json.dumps(answer) for answer in answers]
    return [answer["text"] for answer in answers]


# --------------------------------------------------------------------- the table


def _columns(*names: str, kind: str = "string") -> str:
    return json.dumps([{"type": kind, "name": name, "required": True} for name in names])


_ONE_TEXT = json.dumps([{"type": "string", "required": True}])
_ONE_FILE = json.dumps([{"type": "binary", "required": True}])
_SCORE = {"type": "double", "name": "score", "required": True}
_LABEL = {"type": "string", "name": "label", "required": True}
_SCORED = json.dumps([_LABEL, _SCORE])
_SCORED_SOUND = json.dumps([_SCORE, _LABEL])
_FEATURES = json.dumps(
    [{"name": "double", "type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]
)
_CHOSEN = json.dumps([
    *json.loads(_columns("sequence", "labels")), *json.loads(_columns("scores", kind="double"))
])  # fmt: skip


def _texts(key: str) -> Task:
    return Task(functools.partial(_predict_texts, key=key), _ONE_TEXT, _ONE_TEXT)


TASKS: dict[str, Task] = {
    "AudioClassificationPipeline": Task(_predict_sound_classes, _ONE_FILE, _SCORED_SOUND),
    "AutomaticSpeechRecognitionPipeline": Task(_predict_speech, _ONE_FILE, _ONE_TEXT),
    "FeatureExtractionPipeline": Task(_predict_features, _ONE_TEXT, _FEATURES),
    "FillMaskPipeline": Task(_predict_masks, _ONE_TEXT, _ONE_TEXT),
    "ImageClassificationPipeline": Task(_predict_images, _ONE_TEXT, _SCORED),
    "QuestionAnsweringPipeline": Task(_predict_answers, _columns("question", "context"), _ONE_TEXT),
    "SummarizationPipeline": _texts("summary_text"),
    "Text2TextGenerationPipeline": Task(_predict_labelled_texts, _ONE_TEXT, _ONE_TEXT),
    "TextClassificationPipeline": Task(_predict_classes, _ONE_TEXT, _SCORED),
    "TextGenerationPipeline": _texts("generated_text"),
    "TokenClassificationPipeline": Task(_predict_tokens, _ONE_TEXT, _ONE_TEXT),
    "TranslationPipeline": _texts("translation_text"),
    "ZeroShotClassificationPipeline": Task(
        _predict_choices, _columns("sequences", "candidate_labels", "hypothesis_template"), _CHOSEN
    ),
}


def prompted(rows: list[Any], template: str | None) -> list[Any]:
    """Return rows with their texts put into a template.

    Args:
        rows: the rows.
        template: a text with one place, `{prompt}`; None for none.
    """
    if not template:
        return rows
    return [template.format(prompt=text) for text in texts_of(rows)]
