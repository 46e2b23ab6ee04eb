"""`python -m mlflow` is the `mlflow` command."""

from __future__ import annotations

from mlflow.cli import main

if __name__ == "__main__":
    main()
