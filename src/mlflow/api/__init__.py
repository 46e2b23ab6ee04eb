"""What can be asked of a store, and the rules for what may be asked."""
