"""Train linear, elastic-net and random-forest models on the wine data, one run each."""

from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import ElasticNet, LinearRegression
from wine import eval_metrics, load

import mlflow
import mlflow.sklearn


def train(run_name, artifact_path, model, params, data):
    """Fit `model` and keep it with its parameters and metrics in a run of its own."""
    train_x, test_x, train_y, test_y = data
    with mlflow.start_run(run_name=run_name) as run:
        model.fit(train_x, train_y.values.ravel())
        mlflow.log_params(params)
        mlflow.log_metrics(eval_metrics(test_y, model.predict(test_x)))
        mlflow.sklearn.log_model(model, artifact_path)
    return run.info.run_id


def main():
    """Train all seven; returns the run id of the last, the larger forest."""
    data = load()
    run_id = train(
        "Linear Regression",
        "linear_regression_model",
        LinearRegression(),
        {"Model": "Linear Regression"},
        data,
    )
    for alpha in (0.2, 0.8):
        for l1_ratio in (0.3, 0.7):
            run_id = train(
                f"ElasticNet alpha={alpha} l1_ratio={l1_ratio}",
                f"elasticnet_alpha_{alpha}_l1_{l1_ratio}",
                ElasticNet(alpha=alpha, l1_ratio=l1_ratio, random_state=42),
                {"Model": "ElasticNet", "alpha": alpha, "l1_ratio": l1_ratio},
                data,
            )
    for n in (50, 100):
        run_id = train(
            f"Random Forest n_estimators={n}",
            f"random_forest_n_{n}",
            RandomForestRegressor(n_estimators=n, random_state=42),
            {"Model": "Random Forest", "n_estimators": n},
            data,
        )
    return run_id


if __name__ == "__main__":
    main()
