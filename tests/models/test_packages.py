"""What a model stands on is found without running any of it."""

import pickle
import pickletools
import sys

import cloudpickle
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlflow.models import packages


@pytest.mark.parametrize("protocol", range(6))
def test_modules_of_a_pickle_of_every_protocol(tmp_path, protocol):
    path = tmp_path / "x.pkl"
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(np.eye(3), [1, 2, 3])
    path.write_bytes(pickle.dumps(model, protocol=protocol))

    tops = {name.split(".")[0] for name in packages.modules_in_pickle(str(path))}

    assert {"sklearn", "numpy"} <= tops


def test_modules_found_are_those_an_unpickler_asks_for(tmp_path):
    class Listing(pickle.Unpickler):
        asked = set()

        def find_class(self, module, name):
            self.asked.add(module)
            return super().find_class(module, name)

    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(make_pipeline(StandardScaler(), LinearRegression())))
    with path.open("rb") as file:
        Listing(file).load()

    assert Listing.asked == packages.modules_in_pickle(str(path))


def test_modules_that_a_cloudpickled_function_uses(tmp_path):
    def function(x):
        return np.asarray(x)

    function.__module__ = "__main__"
    path = tmp_path / "x.pkl"
    path.write_bytes(cloudpickle.dumps(function))

    assert "numpy" in packages.modules_in_pickle(str(path))


def test_reading_a_hostile_pickle_runs_nothing(tmp_path):
    class Payload:
        def __reduce__(self):
            return (exec, ("open('marker','w')",))

    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(Payload()))

    assert packages.modules_in_pickle(str(path)) == {"builtins"}
    assert not (tmp_path / "marker").exists()


def test_long_pickles_are_read_in_part(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "_MAX_OPERATIONS", 100)
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps([LinearRegression(), list(range(100_000))]))
    read = []
    genops = pickletools.genops

    def counting(file):
        for item in genops(file):
            read.append(item)
            yield item

    monkeypatch.setattr(pickletools, "genops", counting)
    packages.modules_in_pickle(str(path))

    assert len(read) < 200


def test_imports_of_sources(tmp_path):
    path = tmp_path / "m.py"
    path.write_text("import a.b, c\nfrom d.e import f\nfrom . import g\ndef h():\n    import i\n")

    assert packages.modules_in_source(str(path)) == {"a.b", "c", "d.e", "i"}


def test_a_file_that_cannot_be_read_adds_nothing(tmp_path):
    (tmp_path / "a.py").write_text("def (")
    (tmp_path / "b.pkl").write_bytes(b"\xff\xff")
    (tmp_path / "c.skops").write_bytes(b"no zip")
    (tmp_path / "d.py").write_text("import numpy")

    assert packages.modules_in_folder(str(tmp_path)) == {"numpy"}


def test_modules_of_an_object_include_imports_inside_its_methods():
    class Model:
        def predict(self, x):
            import scipy.sparse

            return scipy.sparse.csr_matrix(np.asarray(x))

    assert {"scipy.sparse", "numpy"} <= packages.modules_of_object(Model())


def test_distributions():
    assert packages.distribution_of("sklearn.linear_model") == "scikit-learn"
    assert packages.distribution_of("numpy") == "numpy"
    assert packages.distribution_of("yaml").lower() == "pyyaml"
    for own in ("os", "json.decoder", "__main__", "mlflow.pyfunc.model", "nowhere_at_all"):
        assert packages.distribution_of(own) is None


def test_versions():
    assert packages.installed_version("numpy") == np.__version__.split("+")[0]
    assert packages.installed_version("not-installed-at-all") is None
    assert "sklearn" in sys.modules
