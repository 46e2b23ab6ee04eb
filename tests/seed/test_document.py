"""Every block of the document that needs no browser runs as it is."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
from datetime import date
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _load_blocks():
    spec = importlib.util.spec_from_file_location("seed_blocks", HERE / "blocks.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["seed_blocks"] = module
    spec.loader.exec_module(module)
    return module


seed = _load_blocks()
BLOCKS = seed.read()


def _surroundings() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": scripts + os.pathsep + os.environ["PATH"],
        "PYTHONPATH": str(HERE / "site"),
        "WINE_CSV": str(ROOT / "examples" / "winequality-red.csv"),
        "PYTHONUNBUFFERED": "1",
    }


def _run_program(text: str, folder: Path) -> str:
    program = folder / "program.py"
    program.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True, text=True, check=False, cwd=folder, env=_surroundings(),
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def _program(numbers: list[int]) -> str:
    return "\n".join(seed.BEFORE.get(number, "") + BLOCKS[number].text for number in numbers)


def _runs(folder: Path) -> list:
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=(folder / "mlruns").as_uri())
    return client.search_runs(["0"], max_results=100)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder where the wine script and then the further models were trained."""
    folder = tmp_path_factory.mktemp("trained")
    _run_program(_program([7]), folder)
    _run_program(_program([7, 18, 19, 20]), folder)
    return folder


def _with_ids(text: str, folder: Path) -> str:
    """The text with the author's run ids replaced by those of the same models here."""
    (forest,) = (folder / "mlruns" / "0").glob("*/artifacts/random_forest_n_100/MLmodel")
    served = next((folder / "mlruns" / "0").glob("*/artifacts/model/MLmodel"))
    for old, model in ((seed.ID_OF_FOREST, forest), (seed.ID_OF_SERVED, served)):
        text = text.replace(old, model.parents[2].name)
    return text


def test_the_document_is_as_it_was_written():
    """No formatter of programs has been at its blocks."""
    assert seed.SHA256 == hashlib.sha256(seed.DOCUMENT.read_bytes()).hexdigest()


def test_every_block_is_accounted_for():
    """No block is forgotten, and none is left out without a reason."""
    run = {number for chain in seed.CHAINS.values() for number in chain} | seed.WITH_IDS.keys()
    other = seed.EXPECTED.keys() | seed.NOT_RUN.keys()

    assert {block.number for block in BLOCKS} == run | other
    assert set() == run & other
    assert all(seed.NOT_RUN.values())


@pytest.mark.parametrize("number", sorted(seed.NOT_RUN))
def test_blocks_not_run_are_no_programs(number):
    """What is left out is a command that stays, or an address; never Python."""
    assert "bash" == BLOCKS[number].language


@pytest.mark.parametrize("name", list(seed.CHAINS))
def test_chain_runs(name, tmp_path):
    """The blocks run one after the other, unchanged, in a new process and an empty folder."""
    output = _run_program(_program(seed.CHAINS[name]), tmp_path)

    checks.get(name, _logged_something)(output, tmp_path)


def _logged_something(output: str, folder: Path) -> None:
    assert _runs(folder)


def _is_the_wine_run(output: str, folder: Path) -> None:
    (run,) = _runs(folder)

    assert "Elasticnet model (alpha=0.500000, l1_ratio=0.500000):" in output
    assert {"alpha": "0.5", "l1_ratio": "0.5"} == run.data.params
    for name in ("rmse", "mae", "r2"):
        (printed,) = re.findall(rf"^  {name}: (\S+)$", output, re.IGNORECASE | re.MULTILINE)
        assert float(printed) == run.data.metrics[name]
    assert "FINISHED" == run.info.status
    assert (folder / "mlruns" / "0" / run.info.run_id / "artifacts" / "model" / "MLmodel").exists()


def _printed_a_signature(output: str, folder: Path) -> None:
    assert "inputs" in output
    assert "bedrooms" in output
    assert "square_feet" in output
    assert "outputs" in output
    assert not (folder / "mlruns").exists()


def _trained_seven(output: str, folder: Path) -> None:
    import mlflow

    runs = {run.info.run_name: run for run in _runs(folder)}
    client = mlflow.MlflowClient(tracking_uri=(folder / "mlruns").as_uri())

    assert 8 == len(runs)
    assert {"FINISHED"} == {run.info.status for run in runs.values()}
    assert "100" == runs["Random Forest n_estimators=100"].data.params["n_estimators"]
    assert str(date.today()) == client.get_experiment("0").name
    for alpha in (0.2, 0.8):
        for ratio in (0.3, 0.7):
            run = runs[f"ElasticNet alpha={alpha} l1_ratio={ratio}"]
            place = folder / "mlruns" / "0" / run.info.run_id / "artifacts"
            assert (place / f"elasticnet_alpha_{alpha}_l1_{ratio}" / "MLmodel").exists()


def _only_set_an_address(output: str, folder: Path) -> None:
    assert not (folder / "mlruns").exists()


checks = {
    "the wine script": _is_the_wine_run,
    "a signature of houses": _printed_a_signature,
    "more models, and a new name": _trained_seven,
    "a database as the store": _only_set_an_address,
    "a server as the store": _only_set_an_address,
    "a server on another port": _only_set_an_address,
}


def test_the_wine_script_in_a_database(tmp_path):
    """With block 2 before it: a run each, and versions of the registered model, which load."""
    for _ in range(2):
        _run_program(_program([2, 7]), tmp_path)
    output = _run_program(
        BLOCKS[2].text
        + """
import pandas as pd
data = pd.read_csv("WINE", sep=";").drop(columns="quality")
for uri in ("models:/ElasticnetWineModel/1", "models:/ElasticnetWineModel/latest"):
    print(mlflow.pyfunc.load_model(uri).predict(data.head(3)).round(2).tolist())
""".replace("WINE", str(ROOT / "examples" / "winequality-red.csv")),
        tmp_path,
    )
    import mlflow
    from mlflow.store import locate

    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    runs = client.search_runs(["0"])
    versions = client.search_model_versions("name = 'ElasticnetWineModel'")
    locate.forget()

    assert len(set(output.splitlines())) == 1
    assert [{"alpha": "0.5", "l1_ratio": "0.5"}] * 2 == [run.data.params for run in runs]
    assert {"2": runs[0].info.run_id, "1": runs[1].info.run_id} == {
        one.version: one.run_id for one in versions
    }
    for run in runs:
        assert run.info.artifact_uri == f"{tmp_path}/mlruns/0/{run.info.run_id}/artifacts"
        assert Path(run.info.artifact_uri, "model", "MLmodel").exists()


@pytest.mark.skipif(os.name == "nt", reason="the block is written for a POSIX shell")
def test_the_wine_script_with_a_server(tmp_path):
    """Blocks 5 to 7: run, model and registered version are with the server, and come from it."""
    port = str(_free_port(5001))
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    server = subprocess.Popen(
        ["bash", "-c", BLOCKS[5].text.replace("5001", port)],
        cwd=there, env=_surroundings(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(server, f"http://127.0.0.1:{port}/health")
        address = BLOCKS[6].text.replace("5001", port)
        output = _run_program(address + BLOCKS[7].text, here)
        loaded = _run_program(
            address
            + """
import pandas as pd
data = pd.read_csv("WINE", sep=";").drop(columns="quality")
print(mlflow.pyfunc.load_model("models:/ElasticnetWineModel/1").predict(data.head(3)).tolist())
""".replace("WINE", str(ROOT / "examples" / "winequality-red.csv")),
            here,
        )
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.communicate(timeout=30)

    assert "Elasticnet model (alpha=0.500000, l1_ratio=0.500000):" in output
    assert 3 == len(json.loads(loaded))
    assert not (here / "mlruns").exists()
    assert list(there.rglob("MLmodel"))


def test_model_loads_by_its_path(trained):
    """Block 22 loads a model by a relative path and prints its prediction."""
    output = _run_program(_with_ids(BLOCKS[22].text, trained), trained)

    assert [6.15] == pytest.approx(json.loads(output), abs=0.3)


def _free_port(wished: int) -> int:
    for port in (wished, 0):
        try:
            with socket.socket() as probe:
                probe.bind(("0.0.0.0", port))
                return probe.getsockname()[1]
        except OSError:
            continue
    raise AssertionError


def _wait_for(server: subprocess.Popen, url: str) -> None:
    for _ in range(600):
        assert server.poll() is None, server.stdout.read().decode()
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert 200 == answer.status
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(url)


def _serve_and_ask(trained: Path, path: str) -> dict:
    """Blocks 24 and 25 with the model at `path`; the document's port unless it is taken."""
    port = str(_free_port(5001))
    served = _with_ids(BLOCKS[24].text, trained).replace("5001", port)
    served = re.sub(r'MODEL_PATH="[^"]*"', f'MODEL_PATH="{path}"', served) if path else served
    server = subprocess.Popen(
        ["bash", "-c", served],
        cwd=trained, env=_surroundings(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(server, f"http://127.0.0.1:{port}/ping")
        asked = _run_program(BLOCKS[25].text.replace("5001", port), trained)
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.communicate(timeout=30)
    return ast.literal_eval(asked.strip().splitlines()[-1])


@pytest.mark.skipif(os.name == "nt", reason="the block is written for a POSIX shell")
def test_model_is_served_and_answers(trained):
    """Blocks 24 and 25: the wine script's model answers what it predicts when loaded here."""
    import pandas as pd

    import mlflow

    sample = ast.literal_eval(re.search(r"sample_data = (\{.*?\})", BLOCKS[25].text, re.S)[1])
    place = next((trained / "mlruns" / "0").glob("*/artifacts/model/MLmodel")).parent
    here = mlflow.pyfunc.load_model(str(place)).predict(pd.DataFrame([sample]))

    assert {"predictions": here.tolist()} == _serve_and_ask(trained, "")


@pytest.mark.skipif(os.name == "nt", reason="the block is written for a POSIX shell")
def test_answer_is_the_one_printed_in_the_document(trained):
    """Block 26 is what the larger forest answers, to the digits of the installed library."""
    (forest,) = (trained / "mlruns" / "0").glob("*/artifacts/random_forest_n_100/MLmodel")
    answer = _serve_and_ask(trained, str(forest.parent.relative_to(trained)))
    expected = ast.literal_eval(BLOCKS[26].text)

    assert expected.keys() == answer.keys()
    assert expected["predictions"] == pytest.approx(answer["predictions"], abs=0.005)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="builds a POSIX environment")
def test_requirements_install(trained, tmp_path):
    """Block 23: in the training environment every requirement is already satisfied.

    The environment is one of its own that sees the libraries of this one, so that nothing is
    installed here; without an index, anything missing would fail.
    """
    place = tmp_path / "env"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    site = next((place / "lib").glob("python*/site-packages"))
    (site / "training.pth").write_text(
        f"{sysconfig.get_paths()['purelib']}\n{ROOT / 'src'}\n", encoding="utf-8"
    )
    shim = subprocess.run(
        [python, "-c", "from mlflow import _installation as i; print(i.install_shims())"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    command = _with_ids(BLOCKS[23].text, trained)
    assert command.startswith("!")  # as in a notebook
    done = subprocess.run(
        ["bash", "-c", command[1:]],
        capture_output=True, text=True, check=False, cwd=trained,
        env={
            **os.environ,
            "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
        },
    )  # fmt: skip

    assert "pip" == shim.stdout.strip(), shim.stderr
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "Successfully installed" not in done.stdout
    assert "mlflow==3.17.2" in done.stdout


def test_redirect_is_for_one_address(tmp_path):
    """The stand-in for the net changes nothing else about pandas."""
    shutil.copy(ROOT / "examples" / "winequality-red.csv", tmp_path / "wine.csv")
    output = _run_program(
        "import pandas\nprint(len(pandas.read_csv('wine.csv', sep=';')))\n", tmp_path
    )

    assert "1599" == output.strip()
