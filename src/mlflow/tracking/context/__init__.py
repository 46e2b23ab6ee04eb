"""What is known of the program that starts a run: user, source, git state, tags of plug-ins."""
