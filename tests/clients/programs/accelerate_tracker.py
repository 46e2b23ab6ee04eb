from pathlib import Path

import accelerate
import dump
import matplotlib.figure

accelerator = accelerate.Accelerator(log_with="mlflow", project_dir=".", cpu=True)
accelerator.init_trackers(
    "project",
    config={"rate": 0.1, "on": True},
    init_kwargs={"mlflow": {"run_name": "first", "tags": {"team": "x"}}},
)
for step in range(3):
    accelerator.log({"loss": 1 / (step + 1), "text": "left out"}, step=step)
tracker = accelerator.get_tracker("mlflow")
figure = matplotlib.figure.Figure()
figure.add_subplot().plot([1, 2])
tracker.log_figure(figure, "plots/line.png")
Path("note.txt").write_text("kept")
tracker.log_artifact("note.txt", "notes")
Path("kept").mkdir()
Path("kept/one.txt").write_text("1")
tracker.log_artifacts("kept", "all")
accelerator.end_training()
dump.say(
    trackers=[type(one).__name__ for one in accelerator.trackers],
    available=accelerate.utils.is_mlflow_available(),
    runs=dump.runs(),
)
