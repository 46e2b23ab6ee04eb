"""The source of data that came from the hub or the loaders of Hugging Face."""

from __future__ import annotations

from mlflow.data.dataset_source import DatasetSource, recorded
from mlflow.exceptions import MlflowException, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class HuggingFaceDatasetSource(DatasetSource):
    """What `datasets.load_dataset` is called with.

    Args:
        path: the name of the dataset, or of a loader such as `json`.
        config_name: which of its configurations.
        data_dir: the folder of its files.
        data_files: its files.
        split: which of its splits.
        revision: which version.
        trust_remote_code: whether code that comes with it may run; not recorded.
    """

    def __init__(
        self,
        path: str,
        config_name: str | None = None,
        data_dir: str | None = None,
        data_files: Any = None,
        split: Any = None,
        revision: Any = None,
        trust_remote_code: bool | None = None,
    ) -> None:
        self.path = path
        self.config_name = config_name
        self.data_dir = data_dir
        self.data_files = data_files
        self.split = split
        self.revision = revision
        self.trust_remote_code = trust_remote_code

    @staticmethod
    def _get_source_type() -> str:
        return "hugging_face"

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        del raw_source
        return False

    @classmethod
    def _resolve(cls, raw_source: Any) -> HuggingFaceDatasetSource:
        raise invalid(f"A source of Hugging Face is made by from_huggingface, not {raw_source!r}.")

    def load(self, **kwargs: Any) -> Any:
        """Return the data as `datasets.load_dataset` loads it.

        Args:
            kwargs: its further arguments.

        Raises:
            MlflowException: an argument is one of those that are recorded, or the package
                `datasets` is not installed.
        """
        given = {
            "path": self.path, "name": self.config_name, "data_dir": self.data_dir,
            "data_files": self.data_files, "split": self.split, "revision": self.revision,
        }  # fmt: skip
        if self.trust_remote_code is not None:
            given["trust_remote_code"] = self.trust_remote_code
        twice = sorted(given.keys() & kwargs.keys())
        if twice:
            raise invalid(f"The source says {twice} already.")
        try:
            import datasets
        except ImportError as error:
            raise MlflowException(
                "Data of Hugging Face is loaded by the package datasets, which is not installed: "
                "pip install datasets"
            ) from error
        return datasets.load_dataset(**given, **kwargs)

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "config_name": self.config_name,
            "data_dir": self.data_dir,
            "data_files": self.data_files,
            "split": str(self.split),
            "revision": self.revision,
        }

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> HuggingFaceDatasetSource:
        path = recorded(cls, source_dict, "path")
        split = source_dict.get("split")
        facts = {key: source_dict.get(key) for key in ("config_name", "data_dir", "data_files")}
        return cls(
            path, **facts, split=None if split == "None" else split,
            revision=source_dict.get("revision"),
        )  # fmt: skip
