"""Loader modules that MLmodel files name."""
