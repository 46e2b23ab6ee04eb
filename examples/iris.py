"""A classifier of irises, logged with its signature."""

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import mlflow
import mlflow.sklearn
from mlflow.models.signature import infer_signature

if __name__ == "__main__":
    data = load_iris(as_frame=True)
    train_x, test_x, train_y, test_y = train_test_split(
        data.data, data.target, test_size=0.2, random_state=42
    )
    classifier = LogisticRegression(max_iter=200).fit(train_x, train_y)
    example = train_x.head(1)
    with mlflow.start_run():
        mlflow.log_metric("accuracy", classifier.score(test_x, test_y))
        signature = infer_signature(example, classifier.predict(example))
        mlflow.sklearn.log_model(classifier, "iris_model", signature=signature)
