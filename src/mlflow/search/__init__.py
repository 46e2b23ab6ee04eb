"""Searching: one grammar, one vocabulary a noun, one matcher, one form of page tokens."""
