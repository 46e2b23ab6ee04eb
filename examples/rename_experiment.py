"""Rename the default experiment to today's date."""

from datetime import UTC, datetime

from mlflow.tracking import MlflowClient

if __name__ == "__main__":
    client = MlflowClient()
    client.rename_experiment("0", str(datetime.now(UTC).date()))
    print(client.get_experiment("0").name)
