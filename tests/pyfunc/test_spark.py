"""Models as functions of Spark's columns, on a Spark that runs here."""

from __future__ import annotations

import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.pyfunc import PythonModel, spark, spark_udf

pytest.importorskip("pyspark", reason="pyspark is not installed; scripts/flavors brings it")
functions = pytest.importorskip("pyspark.sql.functions")
pytestmark = pytest.mark.filterwarnings("ignore")

FRAME = pd.DataFrame({"a": [1.5, 2.5, 3.0], "b": [1.0, 2.0, 3.0]})


@pytest.fixture(scope="module")
def rows(spark_session):
    return spark_session.createDataFrame(FRAME)


class Weighted(PythonModel):
    """Sums rows, says what it was given, or both."""

    def predict(self, context, model_input, params=None):
        return model_input.sum(axis=1) * (params or {}).get("k", 1)


class Telling(PythonModel):
    def predict(self, context, model_input, params=None):
        import os

        seen = [
            list(map(str, model_input.columns)),
            dict(context.model_config),
            os.environ.get("TOLD"),
        ]
        return pd.DataFrame({"seen": [str(seen)] * len(model_input), "sum": 1.0})


def saved(model, folder, **more):
    mlflow.pyfunc.save_model(folder, python_model=model, pip_requirements=["mlflow"], **more)
    return folder


def test_columns_structs_and_params(spark_session, rows, tmp_path):
    signature = infer_signature(FRAME, FRAME.sum(axis=1), {"k": 1})
    weighted = saved(Weighted(), tmp_path / "w", signature=signature)
    plain = spark_udf(spark_session, weighted)
    triple = spark_udf(spark_session, weighted, params={"k": 3})
    struct = functions.struct("b", "a")

    found = rows.select(
        plain().alias("all"), plain("a", "b").alias("named"), plain(rows.a, rows.b, "a").alias("more"),
        plain(struct).alias("struct"), triple().alias("triple"),
        spark_udf(spark_session, weighted, "array<string>")().alias("texts"),
    ).toPandas()  # fmt: skip

    sums = FRAME.sum(axis=1)
    for name in ("all", "named", "more", "struct"):
        assert found[name].tolist() == sums.tolist()
    assert found.triple.tolist() == (sums * 3).tolist()
    assert [list(texts) for texts in found.texts] == [[str(value)] for value in sums]
    assert plain.metadata.signature == signature
    assert plain.returnType.simpleString() == "double"
    spark_session.udf.register("weighted", plain)
    rows.createOrReplaceTempView("rows")
    assert spark_session.sql("select weighted(a, b) w from rows limit 1").collect()[0].w == 2.5
    assert rows.limit(0).select(plain()).collect() == []
    with pytest.raises(Exception, match="received only 1 unnamed input columns"):
        rows.select(plain("a")).collect()


def test_names_settings_and_environment_reach_the_model(spark_session, rows, tmp_path, monkeypatch):
    telling = saved(Telling(), tmp_path / "t", model_config={"x": 1, "y": 2})
    # As on a cluster, whose workers do not see the folder.
    monkeypatch.setattr(spark, "_is_local", lambda session: False)
    tell = spark_udf(
        spark_session,
        telling,
        "seen string, sum double",
        extra_env={"TOLD": "so"},
        model_config={"x": 5},
    )

    (row,) = rows.limit(1).select(tell("a", "b").alias("p"), tell("a").alias("one"),
        tell(functions.struct("b"), "a").alias("inner")).collect()  # fmt: skip

    assert row.p.seen == "[['0', '1'], {'x': 5, 'y': 2}, 'so']"
    assert row.one.seen.startswith("[['0']")
    assert row.inner.seen.startswith("[['0', '1']")
    assert row.p["sum"] == 1.0


def test_what_makes_no_function_is_refused(spark_session, tmp_path):
    telling = saved(Telling(), tmp_path / "t")

    with pytest.raises(MlflowException, match="Invalid value for `env_manager`: x"):
        spark_udf(spark_session, telling, env_manager="x")
    for given in ({"env_manager": "virtualenv"}, {"prebuilt_env_uri": "x"}):
        with pytest.raises(MlflowException, match="the Python of its workers"):
            spark_udf(spark_session, telling, **given)
    with pytest.raises(MlflowException, match="udf on zero columns"):
        spark_udf(spark_session, telling)()
    with pytest.raises(MlflowException, match="Invalid 'spark_udf' result type"):
        spark_udf(spark_session, telling, "date")
