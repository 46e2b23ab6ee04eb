"""PyTorch's `pt2` files: modules written as graphs, and read so that nothing in them runs.

PyTorch evaluates expressions of such a file as Python and unpickles parts of it. Where the loader
refuses code, the file is read here first, and PyTorch gets a copy of what was found to be data.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.deserialize import code_allowed, unpickling, unreadable
from mlflow.models.flavors import library_of

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPORTED_FILE = "model.pt2"

_FLAVOR = "pytorch"
_NEEDED = (
    "If `serialization_format` is set to 'pt2', then input_example is required. It must be a numpy "
    "array or torch tensor, or a tuple/list of numpy arrays or torch tensors. This is because 'pt2' "
    "is a traced-graph format: PyTorch traces the model graph by virtually executing model.forward "
    "with the provided example input."
)
# The parts of a file that are data; `pt` files are pickles, and are read as weights first.
_DATA_PARTS = re.compile(
    r"(models/\w+\.json|data/weights/(weight_\d+|\w+_config\.json)"
    r"|data/constants/(tensor_\d+|\w+_config\.json)|data/sample_inputs/\w+\.pt"
    r"|archive_format|archive_version|byteorder|version|\.data/\w+|\.format_version"
    r"|\.storage_alignment)"
)
# Sizes that depend on others: numbers, symbols and these functions of them.
_SYMBOL = re.compile(r"Symbol\('[a-z]+\d+'(, (positive|integer|nonnegative)=(True|False))*\)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_FUNCTIONS = frozenset(
    "Add Mul Pow Integer Mod PythonMod FloorDiv CeilDiv CleanDiv Max Min floor ceiling Rational".split()
)
# PyTorch's own operations but those on files, and Python's on sizes.
_OPERATION = re.compile(
    r"torch\.ops\.(aten|prims)\.(?!from_file|save|load)\w+(\.\w+)?"
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|pow|neg|eq|ne|lt|le|gt|ge|getitem)"
)
_EXPRESSION = re.compile(r"[\w\s+\-*/(),]*")


# -------------------------------------------------------------------- writing


def write_exported(model: Any, example: Any, signature: Any, path: str) -> None:
    """Write a module as the graph of its `forward`, with a free number of rows.

    Args:
        model: the module; it is traced as it evaluates, not as it trains.
        example: one array or tensor for each argument of `forward`.
        signature: the model's signature; None when it is to be inferred.
        path: the file.

    Raises:
        MlflowException: the example or the signature is of another kind, or PyTorch cannot trace
            the module.
    """
    torch = library_of(_FLAVOR, "torch.export")
    arguments = _example_tensors(example)
    if signature and signature.inputs is not None and not signature.inputs.is_tensor_spec():
        raise invalid(
            "Unsupported signature type for the selected serialization format. If the "
            "`serialization_format` argument is set to 'pt2', the input signature must be "
            "specified using `TensorSpec`. Please update the model signature or set "
            "`serialization_format` to 'pickle'."
        )
    shapes = tuple({0: torch.Dim.AUTO} if tensor.ndim else None for tensor in arguments)
    try:
        with evaluating(model):
            program = torch.export(model, arguments, dynamic_shapes=shapes)
        torch.save(program, path)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise MlflowException(
            f"PyTorch cannot trace the model as 'pt2': {type(error).__name__}: {reason}. Set "
            "`serialization_format` to 'pickle' to write it as it is."
        ) from error


def _example_tensors(example: Any) -> tuple[Any, ...]:
    torch = library_of(_FLAVOR)
    if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], dict):
        example = example[0]
    several = isinstance(example, (tuple, list)) and example
    tensors = []
    for part in example if several else [example]:
        if not isinstance(part, torch.Tensor):
            if not hasattr(part, "__array_interface__"):
                raise invalid(_NEEDED)
            part = torch.as_tensor(part)
        tensors.append(part)
    # PyTorch takes a size of one for a constant.
    if all(tensor.ndim and tensor.shape[0] == 1 for tensor in tensors):
        tensors = [torch.cat([tensor, tensor]) for tensor in tensors]
    return tuple(tensors)


@contextlib.contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Let a module evaluate inside the block, and be as it was after it."""
    training = [part for part in model.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True


# -------------------------------------------------------------------- reading


def load_exported(path: str) -> Any:
    """Read a `pt2` file.

    Args:
        path: the file.

    Returns:
        The module of its graph.

    Raises:
        MlflowException: it cannot be read, or would run code where the loader refuses that.
    """
    torch = library_of(_FLAVOR, "torch.export")
    if code_allowed():
        with unpickling(path, "an exported PyTorch model"):
            return torch.load(path).module()
    try:
        harmless = _checked_copy(path)
        return torch.load(harmless).module()
    except MlflowException:
        raise
    except Exception as error:
        raise unreadable(path, error) from error


def _checked_copy(path: str) -> io.BytesIO:
    # A copy, because two readers of archives need not agree on what one holds.
    copy = io.BytesIO()
    try:
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as made:
            for entry in archive.infolist():
                content = archive.read(entry)
                _check_part(path, entry.filename.partition("/")[2], content)
                made.writestr(entry.filename, content)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise unreadable(path, error) from error
    copy.seek(0)
    return copy


def _check_part(path: str, name: str, content: bytes) -> None:
    if not _DATA_PARTS.fullmatch(name):
        raise _refused(path, f"its part {name!r} is not known to be data")
    if name.endswith(".json"):
        try:
            _check_values(path, json.loads(content))
        except (ValueError, RecursionError) as error:
            raise unreadable(path, error) from error
    elif name.endswith(".pt") and content:
        try:
            library_of(_FLAVOR).load(io.BytesIO(content), weights_only=True)
        except Exception as error:
            raise _refused(path, f"its part {name!r} holds more than tensors") from error


def _check_values(path: str, content: Any) -> None:
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            if value.get("use_pickle"):
                raise _refused(path, "it holds a pickled tensor")
            if value.get("guards_code"):
                raise _refused(path, "it holds conditions written in Python")
            sizes = [value.get("expr_str"), *(value.get("range_constraints") or {})]
            for text in sizes:
                if text is not None and not _is_size(text):
                    raise _refused(path, f"it holds the expression {text!r}")
            target = value.get("target")
            if target is not None and not _is_operation(target):
                raise _refused(path, f"its graph calls {target!r}")


def _is_size(text: object) -> bool:
    plain = _SYMBOL.sub("s0", text) if isinstance(text, str) else "."
    words = _WORD.findall(plain)
    known = all(word in _FUNCTIONS or re.fullmatch(r"[a-z]+\d+", word) for word in words)
    return known and _EXPRESSION.fullmatch(plain) is not None


def _is_operation(target: object) -> bool:
    return isinstance(target, str) and _OPERATION.fullmatch(target) is not None


def _refused(path: str, why: str) -> MlflowException:
    return MlflowException(
        f"'{path}' can run code when it is loaded: {why}. MLFLOW_ALLOW_PICKLE_DESERIALIZATION is "
        "set to refuse that; set it to true if you trust the model's author.",
        error_code="PERMISSION_DENIED",
    )
