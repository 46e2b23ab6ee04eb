"""Stores: one contract, the rules, and the backends that keep the records."""
