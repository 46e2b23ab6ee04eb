"""Figures and images as artifacts."""

from __future__ import annotations

import re

import numpy as np
import pytest

import mlflow
from mlflow.tracking.figures import array_as_image

Pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")


def _paths(run, folder=None):
    return [one.path for one in mlflow.MlflowClient().list_artifacts(run.info.run_id, folder)]


def test_a_series_of_images_has_names_that_say_step_and_time():
    with mlflow.start_run() as run:
        mlflow.log_image(np.zeros((300, 400, 3), dtype=np.uint8), key="dog/x", step=3, timestamp=9)

    small, full = sorted(_paths(run, "images"))
    pattern = r"images/dog~x\+step\+3\+timestamp\+9\+[0-9a-f-]{36}"
    assert re.fullmatch(pattern + r"\+compressed\.webp", small)
    assert re.fullmatch(pattern + r"\.png", full)
    load = mlflow.artifacts.load_image
    assert load(f"runs:/{run.info.run_id}/{full}").size == (400, 300)
    assert max(load(f"runs:/{run.info.run_id}/{small}").size) == 256
    assert mlflow.get_run(run.info.run_id).data.tags["mlflow.loggedImages"] == "True"


@pytest.mark.parametrize("name", ["a.png", "d/b.jpg", "c.webp", "e.gif"])
def test_one_image_in_the_format_of_its_ending(name):
    with mlflow.start_run() as run:
        mlflow.log_image(Pillow.new("RGBA", (5, 6)), name)

    assert mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/{name}").size == (5, 6)


ARRAYS = {
    "bool": (np.array([[True, False]]), [[255, 0]]),
    "integers": (np.array([[0, 255]]), [[0, 255]]),
    "floats": (np.array([[0.0, 1.0]]), [[0, 255]]),
    "one channel": (np.array([[[7], [9]]]), [[7, 9]]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_become_pixels(name):
    array, expected = ARRAYS[name]
    assert np.array(array_as_image(array)).tolist() == expected


BAD = {
    "channels": (np.zeros((2, 2, 2), dtype=np.uint8), ValueError, "Invalid channel length: 2"),
    "range": (np.full((2, 2), 300), ValueError, "out of acceptable range"),
    "type": (np.zeros((2, 2), dtype=complex), TypeError, "Invalid array data type"),
    "shape": (np.zeros(2), ValueError, "2D or 3D"),
    "list": ([1], TypeError, "Unsupported image object type"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_image_is_refused(name):
    value, kind, message = BAD[name]
    with mlflow.start_run() as run:
        with pytest.raises(kind, match=message):
            mlflow.log_image(value, "a.png")
        with pytest.raises(kind, match=message):
            mlflow.log_image(value, key="k")
        assert _paths(run) == []


def test_file_and_series_exclude_each_other():
    image = Pillow.new("L", (1, 1))
    with mlflow.start_run():
        with pytest.raises(TypeError, match="exactly one of"):
            mlflow.log_image(image)
        with pytest.raises(TypeError, match="cannot be used in conjunction"):
            mlflow.log_image(image, "a.png", step=1)
        with pytest.raises(ValueError, match="contains invalid characters"):
            mlflow.log_image(image, key="a!b")


def test_images_as_objects():
    image = mlflow.Image([[0, 255]])
    image.save("x.png")

    assert mlflow.Image("x.png").to_list() == image.to_array().tolist() == [[0, 255]]
    assert image.resize((4, 2)).to_pil().size == (4, 2)


def test_figures_of_matplotlib():
    plt = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    with mlflow.start_run() as run:
        mlflow.log_figure(figure, "a/b.png", save_kwargs={"dpi": 20})
        mlflow.log_figure(figure, "c.svg")
        with pytest.raises(TypeError, match="Unsupported figure object type"):
            mlflow.log_figure(1, "a.png")
    plt.close(figure)

    assert mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/a/b.png").size == (128, 96)
    assert "<svg" in mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/c.svg")


def test_figures_of_plotly():
    class Figure:
        def to_html(self, **options):
            return f"<html>{options}</html>"

    Figure.__module__ = "plotly.graph_objs._figure"
    with mlflow.start_run() as run:
        mlflow.log_figure(Figure(), "a.html", save_kwargs={"include_plotlyjs": False})

    text = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/a.html")
    assert text == "<html>{'include_plotlyjs': False}</html>"
