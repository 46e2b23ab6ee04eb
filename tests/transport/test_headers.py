"""Headers for a tracking server, told by programs and plug-ins."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlflow.transport import headers


def provider(said, here=True):
    class Provider(headers.RequestHeaderProvider):
        def in_context(self):
            return here

        def request_headers(self):
            if isinstance(said, Exception):
                raise said
            return said

    return Provider


@pytest.fixture
def registry(monkeypatch):
    new = headers.RequestHeaderProviderRegistry()
    monkeypatch.setattr(headers, "_request_header_provider_registry", new)
    return new


def test_values_that_providers_give_one_header_are_joined(registry):
    registry.register(provider({"A": "1", "B": "2"}))
    registry.register(provider({"A": "3"}))

    assert headers.resolve_request_headers() == {"A": "1 3", "B": "2"}


def test_the_headers_of_the_caller_replace_those_of_providers(registry):
    registry.register(provider({"A": "1", "B": "2"}))

    assert headers.resolve_request_headers({"B": "4", "C": "5"}) == {"A": "1", "B": "4", "C": "5"}


def test_a_provider_elsewhere_says_nothing(registry):
    registry.register(provider({"A": "1"}, here=False))

    assert headers.resolve_request_headers() == {}


def test_a_provider_that_fails_is_left_out_and_its_secret_is_not_printed(registry, caplog):
    registry.register(provider(ValueError("token abc123 is too old")))
    registry.register(provider(None))
    registry.register(provider({"A": "1"}))

    assert headers.resolve_request_headers() == {"A": "1"}
    assert "No headers from Provider: ValueError" in caplog.text
    assert "abc123" not in caplog.text


def test_a_base_class_asks_to_be_filled_in():
    for method in (
        headers.RequestHeaderProvider().in_context,
        headers.RequestHeaderProvider().request_headers,
    ):
        with pytest.raises(NotImplementedError):
            method()


def test_plug_ins_are_asked_once(registry, monkeypatch):
    asked = []
    monkeypatch.setattr(
        headers.plugins, "entry_points", lambda group: asked.append(group) or [("p", "m:P")]
    )
    monkeypatch.setattr(headers.plugins, "load", lambda target: provider({"From": target}))

    assert headers.resolve_request_headers() == {"From": "m:P"}
    assert headers.resolve_request_headers() == {"From": "m:P"}
    assert asked == ["mlflow.request_header_provider"]


def test_installed_plug_ins_are_found_and_a_broken_one_is_passed_over(tmp_path):
    place = tmp_path / "my-packages"
    (place / "plug-1.dist-info").mkdir(parents=True)
    (place / "plug-1.dist-info" / "entry_points.txt").write_text(
        "[mlflow.request_header_provider]\nabsent = not_there:X\nmine = plug:Provider\n"
    )
    (place / "plug.py").write_text(
        "from mlflow.tracking.request_header.abstract_request_header_provider import (\n"
        "    RequestHeaderProvider)\n"
        "class Provider(RequestHeaderProvider):\n"
        "    def in_context(self): return True\n"
        "    def request_headers(self): return {'X-Mine': 'yes'}\n"
    )
    program = (
        f"import sys; sys.path.append({str(place)!r})\n"
        "from mlflow.tracking.request_header.registry import resolve_request_headers\n"
        "print(resolve_request_headers())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "{'X-Mine': 'yes'}"
    assert "No headers from absent: ModuleNotFoundError" in done.stderr


def test_a_program_registers_its_provider_by_mlflows_path(registry):
    from mlflow.tracking.request_header.registry import _request_header_provider_registry as known

    known.register(provider({"A": "1"}))

    assert headers.resolve_request_headers() == {"A": "1"}
