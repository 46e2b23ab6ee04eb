"""Which AWS account the environment means, and addresses that it signs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest
import urllib3

from mlflow.exceptions import MlflowException
from mlflow.store.artifact import aws
from mlflow.store.artifact.aws import aws_account
from mlflow.store.artifact.buckets import bucket_of, location_of
from tests.bucket_server import BUCKET, KEYS, bucket_server


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """No account: the machine that runs the tests may have one."""
    for name in [name for name in __import__("os").environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


@pytest.fixture(params=["with botocore", "without"])
def library(request, monkeypatch):
    if request.param == "without":
        monkeypatch.setitem(sys.modules, "botocore.session", None)
    return request.param


def access(account):
    return account.credentials()["access_key_id"]


def test_keys_of_the_environment(library, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "B")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "C")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")

    account = aws_account()
    assert "eu-north-1" == account.region
    assert ("A", "B", "C") == (*account.credentials().values(),)[:3]


def test_profiles(library, monkeypatch, tmp_path):
    """A profile that is asked for comes before keys in the environment."""
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id=D\naws_secret_access_key=s\n"
        "[team]\naws_access_key_id=T\naws_secret_access_key=%s\n"
    )
    (tmp_path / "config").write_text("[profile team]\nregion=sa-east-1\n")
    assert "D" == access(aws_account())

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "B")
    monkeypatch.setenv("AWS_PROFILE", "team")
    account = aws_account()
    assert ("T", "sa-east-1") == (access(account), account.region)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(MlflowException, match="nobody"):
        aws_account()


def test_a_process_that_gives_keys(monkeypatch, tmp_path):
    """Botocore runs it, and again before its keys expire."""
    program = tmp_path / "give.py"
    program.write_text(
        "import json\nprint(json.dumps({'Version': 1, 'AccessKeyId': 'P', 'SecretAccessKey': 's',"
        " 'SessionToken': 't', 'Expiration': '2999-01-01T00:00:00Z'}))"
    )
    (tmp_path / "config").write_text(
        f"[profile p]\ncredential_process = {sys.executable} {program}\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "p")

    keys = aws_account().credentials()
    assert ("P", "t") == (keys["access_key_id"], keys["token"])
    assert keys["expires_at"] > datetime.now(UTC)


def test_a_profile_that_needs_botocore_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    (tmp_path / "config").write_text("[profile p]\nsso_session = s\n")
    monkeypatch.setenv("AWS_PROFILE", "p")

    with pytest.raises(MlflowException, match=r"sso_session, .*millstream\[aws\]"):
        aws_account()


def test_nobody_has_keys(library):
    with pytest.raises(MlflowException, match="There are no AWS credentials"):
        aws_account()


def test_a_role_by_a_token_of_the_web(library, monkeypatch, tmp_path):
    """Botocore asks for it, or obstore."""
    (tmp_path / "token").write_text("a-token-of-the-web")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r")
    with bucket_server() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.address)
        account = aws_account()
        if library == "without":
            assert account.credentials is None
            return
        assert access(account).startswith("ASIA")
        assert "AssumeRoleWithWebIdentity" in server.asked[0].body.decode()


def test_public_buckets(library, monkeypatch):
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    assert aws_account().is_anonymous


def test_a_damaged_file_of_secrets_is_not_quoted(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    (tmp_path / "credentials").write_text("aws_secret_access_key=very-secret\n")

    with pytest.raises(MlflowException, match="cannot be read") as caught:
        aws_account()
    assert "very-secret" not in caught.value.message


def test_a_signature_is_what_aws_documents(monkeypatch):
    """The example of the pages of AWS about signatures in queries."""
    when = datetime(2013, 5, 24, tzinfo=UTC)
    monkeypatch.setattr(aws, "_now", lambda: when)
    keys = aws._keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None)
    account = aws.Account("us-east-1", lambda: keys, place="https://examplebucket.s3.amazonaws.com")

    found = account.signed("GET", "test.txt", {}, 86400)
    expected = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    assert found.endswith(f"&X-Amz-Signature={expected}")


def test_a_signed_address_does_one_thing(monkeypatch):
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    with bucket_server() as server:
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", server.address)
        account = bucket_of(location_of(f"s3://{BUCKET}/x")).account
        put = account.signed("PUT", "x/ü b+c.txt", {}, 60)
        assert 200 == urllib3.request("PUT", put, body=b"data").status
        get = account.signed("GET", "x/ü b+c.txt", {}, 60)
        assert b"data" == urllib3.request("GET", get).data
