"""Users and what they may do: `mlflow server --app-name basic-auth`."""
