"""Train one elastic net on the wine data: `python train_elasticnet.py [alpha] [l1_ratio]`."""

import sys

from sklearn.linear_model import ElasticNet
from wine import eval_metrics, load

import mlflow
import mlflow.sklearn
from mlflow.models import infer_signature


def main():
    train_x, test_x, train_y, test_y = load()
    alpha = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    l1_ratio = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5

    with mlflow.start_run():
        model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, random_state=42).fit(train_x, train_y)
        metrics = eval_metrics(test_y, model.predict(test_x))
        print(f"Elasticnet model (alpha={alpha:f}, l1_ratio={l1_ratio:f}):")
        print(f"  RMSE: {metrics['rmse']}")
        print(f"  MAE: {metrics['mae']}")
        print(f"  R2: {metrics['r2']}")

        mlflow.log_params({"alpha": alpha, "l1_ratio": l1_ratio})
        mlflow.log_metrics(metrics)
        signature = infer_signature(train_x, model.predict(train_x))
        mlflow.sklearn.log_model(model, "model", signature=signature)


if __name__ == "__main__":
    main()
