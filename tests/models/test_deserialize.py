"""The loader alone decides whether a model may bring code."""

import pickle
import sys

import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer

from mlflow.exceptions import MlflowException
from mlflow.models import deserialize


def twice(values):
    return values * 2


@pytest.mark.parametrize("text", ["true", "1", "True", " yes ", "ON"])
def test_spellings_that_allow(monkeypatch, text):
    monkeypatch.setenv(deserialize.POLICY_VARIABLE, text)

    assert deserialize.code_allowed()


@pytest.mark.parametrize("text", ["false", "0", "False", " no", "FALSE", "off", ""])
def test_spellings_that_refuse(monkeypatch, text):
    monkeypatch.setenv(deserialize.POLICY_VARIABLE, text)

    assert not deserialize.code_allowed()


@pytest.mark.parametrize("text", ["fasle", "2", "none", "not", "truee"])
def test_anything_else_is_an_error_and_no_permission(monkeypatch, text):
    monkeypatch.setenv(deserialize.POLICY_VARIABLE, text)

    with pytest.raises(MlflowException, match="must be true or false"):
        deserialize.code_allowed()


def test_code_is_allowed_unless_refused():
    assert deserialize.code_allowed()


@pytest.mark.parametrize("module", ["pickle", "cloudpickle"])
def test_pickles_come_back(tmp_path, module):
    path = str(tmp_path / "x.pkl")

    deserialize.dump_pickle({"a": 1}, path, module)

    assert deserialize.load_pickle(path, module) == {"a": 1}


@pytest.mark.parametrize("compression", deserialize.COMPRESSIONS)
def test_compressed_pickles_come_back(tmp_path, compression):
    path = str(tmp_path / "x")

    deserialize.dump_pickle({"a": 1}, path, compression=compression)

    assert deserialize.load_pickle(path, "cloudpickle", compression) == {"a": 1}
    with pytest.raises(MlflowException, match="cannot be read: UnpicklingError"):
        deserialize.load_pickle(path)


@pytest.mark.parametrize(
    "content", [b"", b"no pickle", b"\x80\x05", b"cnowhere_at_all\nThing\n.", b"cos\nnothing\n."]
)
@pytest.mark.parametrize("module", ["pickle", "cloudpickle", "joblib"])
def test_a_damaged_pickle_says_so(tmp_path, module, content):
    (tmp_path / "m.pkl").write_bytes(content)

    with pytest.raises(MlflowException, match=r"m\.pkl' cannot be read: .*requirements\.txt"):
        deserialize.load_pickle(str(tmp_path / "m.pkl"), module)


def test_an_unknown_compression_is_refused(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(1))

    with pytest.raises(MlflowException, match="'os' is no compression"):
        deserialize.load_pickle(str(path), "pickle", "os")


def test_an_audit_hook_sees_which_file_is_loaded(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(1))
    seen = []
    # A hook cannot be removed: this one stays, and notes the one event only.
    sys.addaudithook(lambda event, args: seen.append(args) if event == "mlflow.load_pickle" else 0)

    deserialize.load_pickle(str(path))

    assert seen == [(str(path),)]


def test_joblib_files_come_back(tmp_path):
    import joblib

    path = str(tmp_path / "x.pkl")
    joblib.dump({"a": 1}, path)

    assert deserialize.load_pickle(path, "joblib") == {"a": 1}


def test_an_unknown_reader_is_refused(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(1))

    with pytest.raises(MlflowException, match="no reader of pickles"):
        deserialize.load_pickle(str(path), "os")


def test_a_refused_pickle_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setenv(deserialize.POLICY_VARIABLE, "false")

    with pytest.raises(MlflowException, match="is a pickle") as caught:
        deserialize.load_pickle(str(tmp_path / "not there.pkl"))
    assert caught.value.error_code == "PERMISSION_DENIED"


def test_a_safe_skops_file_is_loaded_under_either_policy(tmp_path, monkeypatch):
    path = str(tmp_path / "x.skops")
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    assert deserialize.dump_skops(model, path) == []

    for policy in ("true", "false"):
        monkeypatch.setenv(deserialize.POLICY_VARIABLE, policy)
        assert deserialize.load_skops(path).predict([[2.0]])[0] == pytest.approx(4.0)


def test_types_skops_does_not_know_need_the_loaders_word(tmp_path, monkeypatch):
    path = str(tmp_path / "x.skops")
    unknown = deserialize.dump_skops(FunctionTransformer(twice), path)
    assert unknown == [f"{__name__}.twice"]

    monkeypatch.setenv(deserialize.POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="Untrusted types"):
        deserialize.load_skops(path)
    with deserialize.trusting(unknown):
        assert deserialize.trusted_types() == unknown
        assert deserialize.load_skops(path).transform(3) == 6
    assert deserialize.trusted_types() == []
    monkeypatch.setenv("MILLSTREAM_SKOPS_TRUSTED_TYPES", f"a.B, {unknown[0]}")
    assert deserialize.load_skops(path).transform(3) == 6


def test_types_of_the_standard_library_are_refused_even_where_code_is_allowed(tmp_path):
    import os

    path = str(tmp_path / "x.skops")
    unknown = deserialize.dump_skops(FunctionTransformer(os.system), path)

    assert unknown
    with pytest.raises(MlflowException, match="Untrusted types"):
        deserialize.load_skops(path)


def test_a_broken_skops_file_is_said_so(tmp_path):
    path = tmp_path / "x.skops"
    path.write_bytes(b"no zip")

    with pytest.raises(MlflowException, match="no readable skops file"):
        deserialize.load_skops(str(path))


def test_types_an_author_vouches_for_are_not_reported(tmp_path):
    path = str(tmp_path / "x.skops")

    found = deserialize.dump_skops(FunctionTransformer(twice), path, [f"{__name__}.twice"])

    assert found == []


def test_loaders_are_named_by_the_loader(monkeypatch):
    monkeypatch.setenv("MILLSTREAM_TRUSTED_LOADERS", "a.b, c")

    assert deserialize.trusted_loaders() == ["a.b", "c"]
