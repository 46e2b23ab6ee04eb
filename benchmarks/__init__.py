"""Measurements that run unchanged on Millstream and on stock MLflow."""
