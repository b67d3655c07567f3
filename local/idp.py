"""The local identity provider: Canaille on loopback with the demo's people, whose passwords equal their usernames.

    python local/idp.py --port 8001 --data var/idp --people local/demo.yaml --redirect-uri URL \\
        --post-logout-uri URL --client-id slipway

The client's secret is in OIDC_CLIENT_SECRET: everybody on a machine may read its processes' command lines.
The issuer is http://localhost:PORT. Only what has to outlive a restart is kept under the data directory: the signing
key and the key of the session cookie. People and groups are read from the file at every start.
"""

import argparse
import json
import logging
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import yaml
from flask import Flask
from joserfc.jwk import RSAKey
from werkzeug.serving import BaseWSGIServer, make_server

HOST = "localhost"
SCOPES = ["openid", "profile", "email", "groups"]


def main() -> None:
    """Serve until told to stop."""
    options = parse_options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    people, secret = read_people(options.people), read_secret()
    app = make_app(options.port, options.data)
    with app.app_context():
        add_people(app, people)
        add_client(app, options, secret)
    serve(open_server(options.port, app))


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="An identity provider on this machine, for trying Slipway out.")
    parser.add_argument("--port", type=int, required=True, help="port on loopback")
    parser.add_argument("--data", type=Path, required=True, help="directory for the keys")
    parser.add_argument("--people", type=Path, required=True, help="who can sign in (local/demo.yaml)")
    parser.add_argument("--redirect-uri", action="append", required=True, help="where a sign-in may return to")
    parser.add_argument("--post-logout-uri", action="append", required=True, help="where a sign-out may return to")
    parser.add_argument("--client-id", default="slipway")
    return parser.parse_args()


def read_secret() -> str:
    """The secret of the portal's client. Stops with a sentence when there is none."""
    return os.environ.get("OIDC_CLIENT_SECRET") or sys.exit("OIDC_CLIENT_SECRET is not set: the client's secret.")


def read_people(path: Path) -> list[dict[str, Any]]:
    """The people of the file. Stops with a sentence when there are none to read."""
    try:
        people = yaml.safe_load(path.read_text())["people"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as problem:
        sys.exit(f"--people: {path} cannot be used: {problem}.")
    return [{**person, "groups": person.get("groups") or []} for person in people]


def make_app(port: int, data: Path) -> Flask:
    """Canaille with everything off that a demo has no use for: registration, mails, profiles, administration."""
    from canaille import create_app

    return create_app(
        config={
            "SECRET_KEY": kept(data / "session.key", lambda: secrets.token_urlsafe(32)),
            "SERVER_NAME": f"{HOST}:{port}",
            "PREFERRED_URL_SCHEME": "http",
            # Cookies on localhost are shared between ports, so the name must not be the portal's.
            "SESSION_COOKIE_NAME": "slipway-local-idp",
            "SESSION_COOKIE_SAMESITE": "Lax",
            "CANAILLE": {
                "DATABASE": "memory",
                "NAME": "Seabright sign-in (demo: the password is the username)",
                "LOGO": None,
                "LANGUAGE": "en",
                "JAVASCRIPT": False,
                "HTMX": False,
                "CAPTCHA_ENABLED": False,
                "ENABLE_REGISTRATION": False,
                "ENABLE_PASSWORD_RECOVERY": False,
                "SMTP": None,
                "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"], "READ": ["user_name"], "WRITE": []}},
                "LOGGING": {"version": 1, "disable_existing_loggers": False},
            },
            "CANAILLE_OIDC": {
                "REQUIRE_NONCE": True,
                "ACTIVE_JWKS": [json.loads(kept(data / "signing.json", new_signing_key))],
                # A trusted client asks nobody for consent.
                "TRUSTED_DOMAINS": [HOST, "127.0.0.1"],
                "USERINFO_MAPPING": {"PREFERRED_USERNAME": "{{ user.user_name }}"},
            },
        }
    )


def kept(path: Path, make: Any) -> str:
    """The text of the file, made at the first start and readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(make())
        unfinished.replace(path)
    return path.read_text()


def new_signing_key() -> str:
    """A new RSA key as a JSON Web Key, for RS256."""
    return json.dumps(RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True))


def add_people(app: Flask, people: list[dict[str, Any]]) -> None:
    """Everybody in the file, and the groups they name."""
    from canaille.app import models
    from canaille.backends import Backend

    users = {person["username"]: _user(models, person) for person in people}
    for user in users.values():
        Backend.instance.save(user)
    for group in sorted({name for person in people for name in person["groups"]}):
        members = [users[person["username"]] for person in people if group in person["groups"]]
        Backend.instance.save(models.Group(display_name=group, members=members))


def _user(models: Any, person: dict[str, Any]) -> Any:
    given, _, family = person["name"].partition(" ")
    return models.User(
        # The same at every start, so that a session of before the restart still finds its person.
        id=person["username"],
        user_name=person["username"],
        formatted_name=person["name"],
        given_name=given,
        family_name=family or given,
        emails=[person["email"]],
        password=person["username"],
    )


def add_client(app: Flask, options: argparse.Namespace, secret: str) -> None:
    """The portal, as the one application that may ask who somebody is."""
    from canaille.app import models
    from canaille.backends import Backend

    client = models.Client(
        client_id=options.client_id,
        client_secret=secret,
        client_name="Slipway",
        client_uri=f"http://{HOST}/",
        redirect_uris=options.redirect_uri,
        post_logout_redirect_uris=options.post_logout_uri,
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=SCOPES,
        token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the name of a method
        id_token_signed_response_alg="RS256",  # noqa: S106 - the name of an algorithm
    )
    Backend.instance.save(client)
    # Canaille takes the audience from saved clients only, and without one its tokens name nobody.
    Backend.instance.update(client, audience=[client])
    Backend.instance.save(client)


def open_server(port: int, app: Flask) -> BaseWSGIServer:
    """A listening server on loopback. Stops with a sentence when the port is taken."""
    try:
        return make_server("127.0.0.1", port, app, threaded=True)
    except (OSError, SystemExit):
        sys.exit(f"Port {port} cannot be used for the local identity provider: something else listens there.")


def serve(server: BaseWSGIServer) -> None:
    """Answer until SIGTERM or SIGINT."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # `shutdown` waits for the loop it ends, so it cannot be called from within it.
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.serve_forever()


if __name__ == "__main__":
    main()
