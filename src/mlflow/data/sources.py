"""The kinds of sources by name."""

from __future__ import annotations

from mlflow.data.artifact_dataset_sources import FileDatasetSource
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.http_dataset_source import HTTPDatasetSource

# MLflow has a class for each scheme; here the URI says which it is.
LocalArtifactDatasetSource = FileDatasetSource
S3ArtifactDatasetSource = R2ArtifactDatasetSource = B2ArtifactDatasetSource = FileDatasetSource
GCSArtifactDatasetSource = HdfsArtifactDatasetSource = FileDatasetSource
AzureBlobArtifactDatasetSource = AzureDataLakeArtifactDatasetSource = FileDatasetSource
FTPArtifactDatasetSource = SFTPArtifactDatasetSource = FileDatasetSource

__all__ = [
    "AzureBlobArtifactDatasetSource",
    "AzureDataLakeArtifactDatasetSource",
    "B2ArtifactDatasetSource",
    "CodeDatasetSource",
    "FTPArtifactDatasetSource",
    "FileDatasetSource",
    "GCSArtifactDatasetSource",
    "HTTPDatasetSource",
    "HdfsArtifactDatasetSource",
    "LocalArtifactDatasetSource",
    "R2ArtifactDatasetSource",
    "S3ArtifactDatasetSource",
    "SFTPArtifactDatasetSource",
]
