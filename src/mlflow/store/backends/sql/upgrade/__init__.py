"""Bringing a database that an older MLflow made to the schema of this version."""
