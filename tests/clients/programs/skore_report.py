import dump
import skore
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

import mlflow

x, y = load_diabetes(return_X_y=True, as_frame=True)
report = skore.EstimatorReport(
    Ridge(), X_train=x[:300], y_train=y[:300], X_test=x[300:], y_test=y[300:]
)
project = skore.Project("reports", mode="mlflow", tracking_uri=mlflow.get_tracking_uri())
project.put("ridge", report)
frame = project.summarize().frame() if hasattr(project.summarize(), "frame") else None
found = dump.runs("reports")
for run in found:
    run["metrics"] = sorted(key for key in run["metrics"] if "time" not in key)
    run.pop("points")
    run["tags"].pop("skore_report_id")
dump.say(runs=found, summary=None if frame is None else sorted(map(str, frame.columns)))
