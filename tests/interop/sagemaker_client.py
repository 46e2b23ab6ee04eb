"""Asks a server that stands for SageMaker's, through `sagemaker-mlflow`, and checks what it got."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import botocore.awsrequest
import botocore.credentials
from botocore.auth import SigV4Auth

import mlflow
from mlflow.store import locate

ARN = "arn:aws:sagemaker:us-west-2:123456789012:mlflow-tracking-server/mine"
KEY, SECRET = "AKIDEXAMPLE", "secret"  # noqa: S105 - nobody's
seen = []


def is_signed(handler, body):
    """Sign the request as it arrived, at the time that it says, and compare."""
    given = handler.headers["Authorization"]
    scheme, _, fields = given.partition(" ")
    parts = dict(one.strip().split("=", 1) for one in fields.split(","))
    scope = parts["Credential"].split("/")
    url = f"http://{handler.headers['Host']}{handler.path}"
    headers = {name: handler.headers[name] for name in parts["SignedHeaders"].split(";")}
    request = botocore.awsrequest.AWSRequest(handler.command, url, headers, body)
    request.context["timestamp"] = handler.headers["X-Amz-Date"]
    auth = SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), scope[3], scope[2])
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return (
        [scheme, scope[0], *scope[2:]]
        == ["AWS4-HMAC-SHA256", KEY, "us-west-2", "sagemaker-mlflow", "aws4_request"]
        and auth.signature(text, request) == parts["Signature"]
        and handler.headers["X-Amz-Content-SHA256"] == hashlib.sha256(body).hexdigest()
    )


class Handler(BaseHTTPRequestHandler):
    """Answers every request as if it were about one experiment."""

    protocol_version = "HTTP/1.1"

    def _answer(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        seen.append(
            {
                "path": self.path,
                "signed": is_signed(self, body),
                "arn": self.headers["x-mlflow-sm-tracking-server-arn"],
            }
        )
        answer = json.dumps(
            {"experiment": {"experiment_id": "5", "name": "a b"}, "experiment_id": "5"}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = _answer  # noqa: N815 - the names that the library looks for

    def log_message(self, *args):
        """Say nothing."""


server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()

import sagemaker_mlflow.mlflow_sagemaker_helpers as helpers  # noqa: E402

helpers.SageMakerMLflowHostMetadataProvider.construct_tracking_server_url = lambda self: (
    f"http://127.0.0.1:{server.server_port}"
)
mlflow.set_tracking_uri(ARN)
client = mlflow.MlflowClient()
made = client.create_experiment("a b")
found = client.get_experiment_by_name("a b").experiment_id
stores = [type(one).__name__ for one in (locate.tracking(ARN), locate.registry(ARN))]
print(json.dumps({"made": made, "found": found, "stores": stores, "seen": seen}))  # noqa: T201
