"""What a run says of an estimator."""

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from mlflow.sklearn import describe


def test_params_of_a_search_are_its_own():
    search = GridSearchCV(LogisticRegression(), {"C": [1]})

    assert describe.is_search(search)
    assert not describe.is_search(LogisticRegression())
    assert "estimator__C" not in describe.describe_params(search)


def test_params_are_text_of_bounded_length():
    assert describe.describe_params(LogisticRegression(C=2))["C"] == "2"
    assert len(describe.describe_params(LogisticRegression(C="x" * 9999))["C"]) == 6000
    assert (
        describe.describe_params(make_pipeline(LogisticRegression()))["logisticregression__C"]
        == "1.0"
    )


def test_the_class_is_named():
    assert describe.describe_tags(LogisticRegression()) == {
        "estimator_name": "LogisticRegression",
        "estimator_class": "sklearn.linear_model._logistic.LogisticRegression",
    }
