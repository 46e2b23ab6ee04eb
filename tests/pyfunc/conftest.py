"""A Spark that runs here, for whoever tests with it."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(scope="session")
def spark_session():
    pyspark = pytest.importorskip(
        "pyspark.sql", reason="pyspark is not installed; scripts/flavors brings it"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = pyspark.SparkSession.builder.master("local[1]")
        made = builder.config("spark.ui.enabled", "false").getOrCreate()
        made.sparkContext.setLogLevel("OFF")
        yield made
        made.stop()
