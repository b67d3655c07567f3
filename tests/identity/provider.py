"""A small OpenID Connect provider for tests: right by default, wrong in exactly one way when told so.

Written for the module list of the OpenID conformance suite for relying parties; it signs with keys of its own, checks
the PKCE verifier and hands out each code once.
"""

import base64
import contextlib
import functools
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwk, jws, jwt

CLIENT_ID, CLIENT_SECRET = "slipway", "a client secret of the tests"
DANA = {"sub": "dana", "name": "Dana Reyes", "email": "dana@seabright.example", "preferred_username": "dana"}


@dataclass
class Wrong:
    """How the provider misbehaves: each function gets what would be right and returns what is sent instead."""

    discovery: Callable[[dict[str, Any]], Any] = lambda document: document
    redirect: Callable[[dict[str, str]], dict[str, str]] = lambda parameters: parameters
    header: Callable[[dict[str, Any]], dict[str, Any]] = lambda header: header
    claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    id_token: Callable[[str], str] = lambda token: token
    answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer
    userinfo: Callable[[dict[str, Any]], Any] = lambda userinfo: userinfo
    sign: Callable[["Provider", dict[str, Any], dict[str, Any]], str] | None = None
    status: dict[str, int] = field(default_factory=dict)


class Provider:
    """The provider and the person about to sign in at it."""

    def __init__(self, port: int):
        self.issuer = f"http://127.0.0.1:{port}/idp"
        self.person: dict[str, Any] = dict(DANA)
        self.groups: Any = ["payments"]
        self.wrong = Wrong()
        self.keys = [_first_key()]
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    @staticmethod
    def new_key(name: str | None) -> jwk.RSAKey:
        return jwk.RSAKey.generate_key(2048, {"kid": name, "use": "sig"} if name else {"use": "sig"}, auto_kid=False)

    def discovery(self) -> Any:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo"}
        names |= {"jwks_uri": "jwks", "end_session_endpoint": "end"}
        document: dict[str, Any] = {name: f"{self.issuer}/{path}" for name, path in names.items()}
        document |= {"issuer": self.issuer, "id_token_signing_alg_values_supported": ["none", "RS256", "HS256"]}
        return self.wrong.discovery(document | {"response_types_supported": ["code"]})

    def authorize(self, query: dict[str, str]) -> dict[str, str]:
        """Answer the browser as if the person had just typed the password; return the parameters of the way back."""
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return self.wrong.redirect({"code": code, "state": query["state"]})

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        asked = self.codes.pop(form["code"])
        assert asked["code_challenge"] == s256(form["code_verifier"]), "the verifier does not fit"
        access_token = secrets.token_urlsafe(8)
        answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": 60}
        return self.wrong.answer(answer | {"id_token": self.id_token(asked["nonce"], access_token)})

    def id_token(self, nonce: str, access_token: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce}
        claims |= {"at_hash": half_hash(access_token), "sid": "provider-session-1", **self.person}
        claims = self.wrong.claims(claims)
        kid = self.keys[-1].kid
        header = self.wrong.header({"alg": "RS256"} | ({"kid": kid} if kid else {}))
        sign = self.wrong.sign or (lambda provider, header, claims: jwt.encode(header, claims, provider.keys[-1]))
        return self.wrong.id_token(sign(self, header, claims))

    def userinfo(self) -> Any:
        return self.wrong.userinfo(self.person | {"groups": self.groups})

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.keys]}


@functools.cache
def _first_key() -> jwk.RSAKey:
    """Making a key takes long; every provider of a run begins with the same one."""
    return Provider.new_key("first")


def s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def half_hash(value: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).rstrip(b"=").decode()


def unsigned(provider: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token that says it needs no signature."""
    parts = [json.dumps(part).encode() for part in (header | {"alg": "none"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def signed_with_our_secret(provider: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    key = jwk.OctKey.import_key(CLIENT_SECRET)
    return jws.serialize_compact(header | {"alg": "HS256"}, json.dumps(claims), key, algorithms=["HS256"])


def signed_with_the_public_key(provider: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """The classic confusion: the public key's text taken for a shared secret."""
    key = jwk.OctKey.import_key(base64.b64encode(provider.keys[-1].as_pem(private=False)))
    return jws.serialize_compact(header | {"alg": "HS256"}, json.dumps(claims), key, algorithms=["HS256"])


def signed_with_another_key(provider: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode(header, claims, Provider.new_key(header.get("kid")))


def signed_with_a_key_it_brings_along(provider: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    key = Provider.new_key("brought")
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    return jwt.encode(header | {"jwk": key.as_dict(private=False)}, claims, key, registry=registry)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # set by running()
        path = urlsplit(self.path).path.removeprefix("/idp")
        provider.asked.append(path)
        pages = {
            "/.well-known/openid-configuration": provider.discovery,
            "/elsewhere": provider.discovery,
            "/jwks": provider.jwks,
            "/userinfo": provider.userinfo,
        }
        self._send(path, pages[path]())

    def do_POST(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # set by running()
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        path = urlsplit(self.path).path.removeprefix("/idp")
        provider.asked.append(path)
        if self.headers["Authorization"] != f"Basic {expected}" or form["code"] not in provider.codes:
            provider.wrong.status["/token"] = 400
            self._send(path, {"error": "invalid_grant"})
        else:
            self._send(path, provider.exchange(form))

    def _send(self, path: str, content: Any) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]  # set by running()
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(provider.wrong.status.get(path, 200))
        if provider.wrong.status.get(path) == 302:
            self.send_header("Location", f"{provider.issuer}/elsewhere")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing: the test says what it expects."""


@contextlib.contextmanager
def running() -> Iterator[Provider]:
    """Serve a provider on loopback for as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.provider = Provider(server.server_port)  # type: ignore[attr-defined]  # read by the handler
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.provider  # type: ignore[attr-defined]  # set two lines above
    finally:
        server.shutdown()
        server.server_close()


def way_back(provider: Provider, address: str) -> str:
    """Take the browser to the provider's address and return the address it sends the browser back to."""
    parts = urlsplit(address)
    assert address.startswith(f"{provider.issuer}/authorize?")
    return "/sign-in/callback?" + urlencode(provider.authorize(dict(parse_qsl(parts.query))))
