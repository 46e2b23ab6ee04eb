"""Test suites that Millstream ships, for itself and for authors of plug-ins."""
