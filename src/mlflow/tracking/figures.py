"""Figures and images as artifacts of runs."""

from __future__ import annotations

import sys
from io import BytesIO
from time import time

from mlflow.tags import MLFLOW_LOGGED_IMAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Longest side of the small copy of an image, pixels.
_SMALL_SIDE = 256
_KEY_EXTRA = frozenset("_-. /")


class Image:
    """An image, held until it is logged.

    Args:
        image: a numpy array, a PIL image, the path of a file, or a list of lists of numbers.
    """

    def __init__(self, image: Any) -> None:
        import numpy as np
        from PIL import Image as Pillow

        if isinstance(image, str):
            self.image: Any = Pillow.open(image)
        elif isinstance(image, list):
            self.image = array_as_image(np.array(image))
        elif isinstance(image, np.ndarray):
            self.image = array_as_image(image)
        elif isinstance(image, Pillow.Image):
            self.image = image
        else:
            msg = f"Unsupported image object type: {type(image)}. `image` must be one of "
            raise TypeError(f"{msg}numpy.ndarray, PIL.Image.Image, str, and list.")

    def to_pil(self) -> Any:
        """Return it as a PIL image."""
        return self.image

    def to_array(self) -> Any:
        """Return it as a numpy array."""
        import numpy as np

        return np.array(self.image)

    def to_list(self) -> list[Any]:
        """Return it as nested lists of numbers."""
        return self.to_array().tolist()  # type: ignore[no-any-return]

    def resize(self, size: tuple[int, int]) -> Image:
        """Return a copy of another size (width, height)."""
        return Image(self.image.resize(size))

    def save(self, path: str) -> None:
        """Write it to a file; the ending says the format."""
        self.image.save(path)


def is_image(value: Any) -> bool:
    """Tell whether a value is an image object (arrays may be anything, and are not)."""
    pillow = sys.modules.get("PIL.Image")
    return isinstance(value, Image) or (pillow is not None and isinstance(value, pillow.Image))


def array_as_image(array: Any) -> Any:
    """Return an array as a PIL image.

    Args:
        array: height by width, perhaps by 1, 3 or 4; bool, integers of 0 to 255, or floats of 0
            to 1.

    Raises:
        TypeError: another type of numbers.
        ValueError: another shape or range.
    """
    import numpy as np
    from PIL import Image as Pillow

    if array.ndim not in (2, 3):
        msg = f"`image` must be a 2D or 3D array but got image shape: {array.shape}"
        raise ValueError(msg)
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4):
        msg = f"Invalid channel length: {array.shape[2]}. Must be one of [1, 3, 4]"
        raise ValueError(msg)
    if array.dtype.kind not in "biuf":
        msg = (
            f"Invalid array data type: '{array.dtype}'. Must be one of ['bool', 'signed integer', "
            "'unsigned integer', 'floating']"
        )
        raise TypeError(msg)
    if array.dtype.kind == "b":
        array = array.astype(np.uint8) * 255
    elif array.dtype.kind == "f":
        array = _floats_as_bytes(array)
    else:
        _check_range(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    return Pillow.fromarray(array.astype(np.uint8))


def _floats_as_bytes(array: Any) -> Any:
    import numpy as np

    if array.size and (np.nanmin(array) < 0 or np.nanmax(array) > 1):
        import warnings

        low, high = float(np.nanmin(array)), float(np.nanmax(array))
        warnings.warn(
            f"Float pixel values out of acceptable range [0, 1]. Found minimum value {low} and "
            f"maximum value {high}; they are scaled to fit.",
            UserWarning,
            stacklevel=6,
        )
        array = (array - low) / ((high - low) or 1)
    return np.nan_to_num(array) * 255


def _check_range(array: Any) -> None:
    if array.size and (array.min() < 0 or array.max() > 255):
        msg = (
            "Integer pixel values out of acceptable range [0, 255]. Found minimum value "
            f"{array.min()} and maximum value {array.max()}. Ensure all pixel values are within "
            "the specified range."
        )
        raise ValueError(msg)


def _as_pillow(image: Any) -> Any:
    if isinstance(image, Image):
        return image.to_pil()
    if is_image(image):
        return image
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(image, numpy.ndarray):
        return array_as_image(image)
    msg = f"Unsupported image object type: {type(image)}. `image` must be one of "
    raise TypeError(f"{msg}numpy.ndarray, PIL.Image.Image, and mlflow.Image.")


def image_files(image: Any) -> tuple[bytes, bytes]:
    """Return an image as (PNG, small WebP)."""
    pillow = _as_pillow(image)
    small = pillow.copy()
    small.thumbnail((_SMALL_SIDE, _SMALL_SIDE))
    return _saved(pillow, "PNG"), _saved(small, "WEBP")


def _saved(pillow: Any, kind: str) -> bytes:
    out = BytesIO()
    if kind in ("WEBP", "JPEG") and pillow.mode not in ("RGB", "RGBA", "L"):
        pillow = pillow.convert("RGB")
    if kind == "JPEG" and pillow.mode == "RGBA":
        pillow = pillow.convert("RGB")
    pillow.save(out, format=kind)
    return out.getvalue()


def log_image(
    client: Any,
    run_id: str,
    image: Any,
    artifact_file: str | None,
    key: str | None,
    step: int | None,
    timestamp: int | None,
) -> None:
    """Write an image as one file, or as a member of a series.

    Args:
        client: an `MlflowClient`.
        run_id: the run.
        image: a numpy array, a PIL image or an `Image`.
        artifact_file: one file; or else
        key: a series.
        step: the place in the series.
        timestamp: ms since the epoch; now when None.

    Raises:
        TypeError: neither or both of file and key; it is no image.
        ValueError: an array of the wrong shape or range, or a bad key.
    """
    if artifact_file is not None and any(one is not None for one in (key, step, timestamp)):
        msg = "The `artifact_file` parameter cannot be used in conjunction with `key`, `step`, or"
        rest = "`artifact_file` is specified alone, without any of these conflicting parameters."
        raise TypeError(f"{msg} `timestamp` parameters. Please ensure that {rest}")
    if artifact_file is None and key is None:
        msg = "Invalid arguments: Please specify exactly one of `artifact_file` or `key`. Use "
        rest = "`key` to log dynamic image charts or `artifact_file` for saving static images. "
        raise TypeError(f"{msg}{rest}")
    if artifact_file is not None:
        client.log_stream(run_id, BytesIO(_in_format(image, artifact_file)), artifact_file)
        return
    full, small = image_files(image)
    path = _series_path(key or "", step or 0, timestamp)
    client.log_stream(run_id, BytesIO(full), f"{path}.png")
    client.log_stream(run_id, BytesIO(small), f"{path}+compressed.webp")
    client.set_tag(run_id, MLFLOW_LOGGED_IMAGES, "True")


def _in_format(image: Any, artifact_file: str) -> bytes:
    from PIL import Image as Pillow

    ending = "." + artifact_file.rpartition(".")[2].lower()
    kind = Pillow.registered_extensions().get(ending)
    if kind is None:
        msg = f"unknown file extension: {ending} of {artifact_file!r}"
        raise ValueError(msg)
    return _saved(_as_pillow(image), kind)


def _series_path(key: str, step: int, timestamp: int | None) -> str:
    from uuid import uuid4

    if not key or not all((one.isascii() and one.isalnum()) or one in _KEY_EXTRA for one in key):
        msg = (
            "The `key` parameter may only contain alphanumerics, underscores (_), dashes (-), "
            f"periods (.), spaces ( ), and slashes (/). The provided key `{key}` contains invalid "
            "characters."
        )
        raise ValueError(msg)
    stamp = int(time() * 1000) if timestamp is None else timestamp
    return f"images/{key.replace('/', '~')}+step+{step}+timestamp+{stamp}+{uuid4()}"


def figure_as_bytes(figure: Any, artifact_file: str, options: dict[str, Any]) -> bytes:
    """Return a figure as the content of a file; its ending says the format.

    Raises:
        TypeError: it is no figure of matplotlib or plotly, or no format that it can be written in.
    """
    module = type(figure).__module__.partition(".")[0]
    ending = artifact_file.rpartition(".")[2].lower()
    if callable(getattr(figure, "savefig", None)):
        out = BytesIO()
        options = {"format": ending} | options if "." in artifact_file else options
        figure.savefig(out, **options)
        return out.getvalue()
    if module == "plotly":
        if ending == "html":
            text: str = figure.to_html(**({"include_plotlyjs": "cdn"} | options))
            return text.encode()
        if ending in ("png", "jpeg", "webp", "svg", "pdf"):
            return figure.to_image(**{"format": ending} | options)  # type: ignore[no-any-return]
        msg = f"Unsupported file extension for plotly figure: '{artifact_file}'"
        raise TypeError(msg)
    msg = f"Unsupported figure object type: '{type(figure)}'"
    raise TypeError(msg)
