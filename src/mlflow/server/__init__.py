"""The tracking server: operations over HTTP."""
