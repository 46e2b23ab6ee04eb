"""A provider of OpenID Connect that says whatever a test wants, on a port of its own."""

from __future__ import annotations

import functools
import hashlib
import json
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote

from joserfc import jwk, jwt

CLIENT, SECRET = "mlflow", "a client's secret: 100% &c."


@functools.cache
def key(name, kind="RSA"):
    """Return a private key; the same for the same name."""
    if kind == "RSA":
        return jwk.RSAKey.generate_key(2048, parameters={"kid": name})
    if kind == "EC":
        return jwk.ECKey.generate_key("P-256", parameters={"kid": name})
    return jwk.OKPKey.generate_key("Ed25519", parameters={"kid": name})


def b64(data):
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(claims, by, **header):
    """Return a token that a key has signed."""
    alg = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}[by.key_type]
    return jwt.encode({"alg": alg, "kid": by.kid, **header}, claims, by, algorithms=[alg])


class Reply:
    """What is answered at one path."""

    def __init__(self, body=b"", status=200, headers=()):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status = status
        self.headers = headers


class LyingProvider:
    """Answers as OpenID Connect says, except where a test has put something else.

    Attributes:
        said: changes of what it says of itself; None takes a line out.
        claims: changes of what it writes into id tokens; None takes one out.
        userinfo: what it says beside the token.
        replies: what is answered at a path instead: a `Reply`, or a function of (handler).
        sign: makes the token of claims.
        asked: (method, path, headers, form) of each request.
    """

    def __init__(self, tls=None):
        self.said, self.claims, self.replies, self.asked = {}, {}, {}, []
        self.userinfo = {}
        self.keys = [key("one")]
        self.secret = SECRET
        self._codes = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        if tls is not None:
            self.issuer = f"https://localhost:{self._server.server_port}"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def paths(self):
        return [path.partition("?")[0] for _, path, _, _ in self.asked]

    def sign(self, claims):
        return signed(claims, self.keys[0])

    # --- what people do there --------------------------------------------------------------------

    def sign_in(self, query, subject="sub-1"):
        """Return the code for somebody who was sent here with a query."""
        code = f"code-{len(self._codes)}-and-some-more"
        self._codes[code] = (query, subject)
        return code

    # --- what it answers -------------------------------------------------------------------------

    def _metadata(self):
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys?p=1",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.said,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _token(self, form, headers):
        asked, subject = self._codes.pop(form.get("code", ""), (None, None))
        given = form.get("client_secret")
        if headers.get("Authorization", "").startswith("Basic "):
            pair = b64decode(headers["Authorization"][6:]).decode().partition(":")
            given = unquote(pair[2])
            assert CLIENT == unquote(pair[0])
        if given != self.secret:
            return Reply({"error": "invalid_client"}, 401)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if asked is None or b64(digest) != asked["code_challenge"]:
            return Reply({"error": "invalid_grant"}, 400)
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return Reply({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": subject, "exp": now + 300, "iat": now,
            "nonce": asked["nonce"], "preferred_username": "eve", **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return Reply({"id_token": self.sign(claims), "access_token": f"access-{subject}",
                      "token_type": "Bearer"})  # fmt: skip

    def answer(self, method, path, headers, form):
        self.asked.append((method, path, headers, form))
        place = path.partition("?")[0]
        if place in self.replies:
            return self.replies[place]
        if place == "/.well-known/openid-configuration":
            return Reply(self._metadata())
        if place == "/keys":
            return Reply({"keys": [one.as_dict(private=False) for one in self.keys]})
        if place == "/token":
            return self._token(form, headers)
        if place == "/userinfo":
            subject = headers["Authorization"].removeprefix("Bearer access-")
            return Reply({"sub": subject, **self.userinfo})
        return Reply({}, 404)

    def _handler(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.respond({})

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                given = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True)
                self.respond({name: values[0] for name, values in given.items()})

            def respond(self, form):
                reply = provider.answer(self.command, self.path, dict(self.headers), form)
                if callable(reply):
                    reply(self)
                    return
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_):
                pass

        return Handler
