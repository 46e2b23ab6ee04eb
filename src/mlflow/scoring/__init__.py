"""The scoring server: one model behind `/invocations`."""
