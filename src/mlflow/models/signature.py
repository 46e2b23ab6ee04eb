"""A model's signature: the schemas of its inputs, outputs and parameters, and how to infer them."""

from __future__ import annotations

import logging
from typing import Any

from mlflow._doorway import attach
from mlflow.types.infer import infer_params, infer_schema
from mlflow.types.schema import AnyType, ColSpec, ParamSchema, Schema

_logger = logging.getLogger(__name__)

# It rewrites MLmodel files, whose module imports this one.
__getattr__, __dir__ = attach(__name__, {"set_signature": "mlflow.models.amend"})


class ModelSignature:
    """What a model takes, gives back and can be told."""

    def __init__(
        self,
        inputs: Schema | None = None,
        outputs: Schema | None = None,
        params: ParamSchema | None = None,
    ) -> None:
        """Put a signature together; at least one part must be given.

        Args:
            inputs: the schema of what `predict` is called with.
            outputs: the schema of what it returns.
            params: the schema of its parameters.
        """
        for name, part in (("inputs", inputs), ("outputs", outputs)):
            if part is not None and not isinstance(part, Schema):
                raise TypeError(
                    f"{name} must be either None, mlflow.models.signature.Schema, "
                    f"or a dataclass,got '{type(part).__name__}'"
                )
        if params is not None and not isinstance(params, ParamSchema):
            raise TypeError(
                "If params are provided, they must by of type "
                f"mlflow.models.signature.ParamSchema, got '{type(params).__name__}'"
            )
        if inputs is None and outputs is None and params is None:
            raise ValueError("At least one of inputs, outputs or params must be provided")
        self.inputs = inputs
        self.outputs = outputs
        self.params = params
        self._is_signature_from_type_hint = False
        self._is_type_hint_from_example = False

    def to_dict(self) -> dict[str, Any]:
        """Return the form kept in MLmodel: each part a JSON text or None."""
        return {
            "inputs": self.inputs.to_json() if self.inputs is not None else None,
            "outputs": self.outputs.to_json() if self.outputs is not None else None,
            "params": self.params.to_json() if self.params is not None else None,
        }

    @classmethod
    def from_dict(cls, signature_dict: dict[str, Any]) -> ModelSignature:
        """Read the form kept in MLmodel by any MLflow version.

        Args:
            signature_dict: the parts as JSON texts; absent ones count as None.
        """
        inputs, outputs, params = (
            signature_dict.get(part) for part in ("inputs", "outputs", "params")
        )
        return cls(
            inputs=Schema.from_json(inputs) if inputs else None,
            outputs=Schema.from_json(outputs) if outputs else None,
            params=ParamSchema.from_json(params) if params else None,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelSignature) and (
            self.inputs,
            self.outputs,
            self.params,
        ) == (other.inputs, other.outputs, other.params)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"inputs: \n  {self.inputs!r}\noutputs: \n  {self.outputs!r}\n"
            f"params: \n  {self.params!r}\n"
        )


class _TypeHints:
    """The hints of a predict function; pickles of MLflow's PythonModels name this class."""

    def __init__(self, input_: Any = None, output: Any = None) -> None:
        self.input = input_
        self.output = output


def infer_signature(
    model_input: Any = None,
    model_output: Any = None,
    params: dict[str, Any] | None = None,
) -> ModelSignature:
    """Infer a signature from samples of what goes in and comes out.

    Args:
        model_input: a sample of the input: DataFrame, Series, array, dictionary of arrays, sparse
            matrix, or lists, dictionaries and single values.
        model_output: a sample of the output, of the same kinds.
        params: parameters with their default values.

    Returns:
        The signature. A side whose schema cannot be inferred becomes one column of any type, with
        a warning; parameters that cannot be inferred raise.
    """
    return ModelSignature(
        inputs=_infer_side("inputs", model_input),
        outputs=_infer_side("outputs", model_output),
        params=infer_params(params) if params else None,
    )


def _infer_side(name: str, data: Any) -> Schema | None:
    if data is None:
        return None
    try:
        return infer_schema(data)
    except Exception:
        _logger.warning(
            "Failed to infer schema for %s. Setting schema to `Schema([ColSpec(type=AnyType())]` "
            "as default. Note that MLflow doesn't validate data types during inference for "
            "AnyType. To see the full traceback, set logging level to DEBUG.",
            name,
            exc_info=_logger.isEnabledFor(logging.DEBUG),
        )
        return Schema([ColSpec(AnyType())])
