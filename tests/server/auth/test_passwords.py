"""Passwords are kept as scrypt; what MLflow kept is verified; what is weak is refused."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.auth import passwords
from mlflow.server.auth.passwords import (
    NOBODY,
    check_password,
    hash_password,
    is_current,
    verify,
)

PASSWORD = "correct-horse-battery"
# Of a stock MLflow 3.17.2.
STOCK = (
    "scrypt:32768:8:1$GkaHgjBntFd2aP9p$4354f20e6f98f95d3b668a961a2542e39f71145fc956f9bc193ca2a1621"
    "13bdf2e11b217099bf0d5ef0f8f5becebdd7456046c18605dcac4e22e1d109e8d07b3"
)


def test_a_password_fits_what_is_kept_of_it(monkeypatch):
    monkeypatch.undo()
    kept = hash_password(PASSWORD)

    assert kept.startswith("scrypt:32768:8:3$")
    assert verify(PASSWORD, kept)
    assert not verify(f"{PASSWORD}x", kept)
    assert not verify("", kept)
    assert is_current(kept)
    assert len(kept) <= 255
    assert kept != hash_password(PASSWORD)


def test_what_a_stock_mlflow_kept_is_read():
    assert verify(PASSWORD, STOCK)
    assert not verify("another-horse-battery", STOCK)
    assert not is_current(STOCK)


def test_pbkdf2_is_read():
    import hashlib

    digest = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1000).hex()
    assert verify(PASSWORD, f"pbkdf2:sha256:1000$salt${digest}")
    assert not verify(PASSWORD, f"pbkdf2:sha256:1001$salt${digest}")


@pytest.mark.parametrize(
    "kept", ["", "$", "$$", "plain$x$y", "scrypt$salt$", "scrypt:a:b:c$s$d", "scrypt:1:2$s$d",
             "scrypt:1073741824:8:1$s$d", "scrypt:3:8:1$s$d", "pbkdf2:nope:1$s$d",
             "pbkdf2:sha256:99999999999$s$d", "pbkdf2:sha256:0$s$d", PASSWORD, NOBODY]
)  # fmt: skip
def test_what_cannot_be_read_fits_nothing(kept):
    assert not verify(PASSWORD, kept)
    assert not verify("", kept)


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 11, "password1234", "aaaaaaaaaaaaaaaa", "abababababababab", "x" * 2000]
)  # fmt: skip
def test_weak_ones_are_refused(password):
    with pytest.raises(MlflowException, match="Password"):
        check_password(password)


def test_the_password_that_mlflow_shipped_opens_nothing():
    """Not even where a database has it still."""
    kept = passwords.hash_password("password1234")
    assert not verify("password1234", kept)
