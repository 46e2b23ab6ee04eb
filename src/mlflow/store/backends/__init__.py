"""Backends: where a local store keeps its records."""
