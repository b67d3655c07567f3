"""Sign-in at the company's OpenID Connect provider: the authorization code flow, with what the library leaves to us.

Authlib takes the issuer and the algorithms from the provider's own metadata, compares neither the audience with our
client id nor the userinfo's subject with the token's, and accepts an answer without an ID token. Each is checked here.
Sources: OpenID Connect Core 1.0 §3.1.3.7 and §5.3.2, RFC 9207, RFC 9700.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.flask_client.apps import FlaskOAuth2App
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, current_app, request
from flask import session as flask_session
from joserfc.errors import JoseError

from app import db
from app.config import Config
from app.errors import Problem, Unavailable

ALGORITHMS = ["RS256", "ES256"]
LEEWAY = 60
METADATA_SECONDS = 3600
TIMEOUT = (3.05, 10)
BROKEN = (AuthlibBaseError, JoseError, KeyError, TypeError, ValueError, RuntimeError)


class SignInRefused(Problem):
    """The provider's answer is not one we may trust; `reason` is for the log, the sentence for the person."""

    status = 403
    title = "You are not signed in"

    def __init__(self, reason: str, sentence: str = ""):
        super().__init__(sentence or "The sign-in could not be verified, so nobody was signed in. Start again.")
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """What the provider vouches for: the claims of ID token and userinfo together, and the token itself."""

    claims: Mapping[str, Any]
    groups: tuple[str, ...]
    id_token: str
    wanted: str | None


class _Wire(OAuth2Session):
    """A connection that follows no redirect: what the provider says, it says itself."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, default_timeout=TIMEOUT, **kwargs)
        self.max_redirects = 0


class Provider(FlaskOAuth2App):
    """Authlib's client, told by our settings and not by the provider whom and which algorithms to trust."""

    client_cls = _Wire
    issuer: str
    server_metadata: dict[str, Any]

    def load_server_metadata(self) -> dict[str, Any]:
        if time.time() - self.server_metadata.get("_loaded_at", 0) > METADATA_SECONDS:
            self._forget_metadata()
        metadata = super().load_server_metadata()
        if metadata.get("issuer") != self.issuer:
            self._forget_metadata()
            raise SignInRefused(f"discovery names the issuer {metadata.get('issuer')!r}")
        metadata["id_token_signing_alg_values_supported"] = ALGORITHMS
        return metadata

    def _forget_metadata(self) -> None:
        self.server_metadata = {}


def init_app(app: Flask) -> None:
    """Register the provider of the settings. Nothing is asked of it before the first sign-in."""
    config: Config = app.extensions["config"]
    oauth = OAuth(app)
    oauth.oauth2_client_cls = Provider
    app.extensions["oidc"] = oauth.register(
        "provider",
        client_id=config["OIDC_CLIENT_ID"],
        client_secret=config["OIDC_CLIENT_SECRET"],
        server_metadata_url=config["OIDC_ISSUER"].rstrip("/") + "/.well-known/openid-configuration",
        # The access token is used once, at once; with the default leeway one of a minute would count as expired.
        client_kwargs={"scope": config["OIDC_SCOPES"], "code_challenge_method": "S256", "leeway": 0},
    )
    app.extensions["oidc"].issuer = config["OIDC_ISSUER"]


def start(wanted: str | None) -> str:
    """Return the provider's address to send the browser to; the session remembers what must come back with it."""
    provider = _provider()
    with _explained():
        asked = provider.create_authorization_url(_callback())
        if "code_challenge_method=S256" not in asked["url"] or not asked.get("code_verifier") or not asked.get("nonce"):
            raise SignInRefused("the request carries no S256 challenge or no nonce")
        provider.save_authorize_data(redirect_uri=_callback(), wanted=wanted, **asked)
        return asked["url"]


def finish() -> Answer:
    """Check the answer in the current request and return what the provider vouches for.

    Raises SignInRefused for an answer that cannot be trusted, Unavailable when the provider does not answer. Either way
    the request this answers is used up.
    """
    provider = _provider()
    asked = _asked(provider)
    db.release()
    try:
        with _explained():
            return _checked_answer(provider, asked)
    except Problem:
        provider.framework.clear_state_data(flask_session, request.args["state"])
        raise


def _checked_answer(provider: Provider, asked: Mapping[str, Any]) -> Answer:
    _check_issuer_parameter(provider)
    token = provider.authorize_access_token(leeway=LEEWAY, claims_options=_expected(provider))
    claims = _check_claims(token, provider)
    userinfo = _read_userinfo(provider, token, claims["sub"])
    together = {**claims, **userinfo}
    return Answer(together, _groups(together), token["id_token"], asked.get("wanted"))


def sign_out_address(id_token: str | None, state: str) -> str | None:
    """Return where the provider ends its own session and sends the browser back, or None if it cannot say."""
    try:
        with _explained():
            answer = _provider().create_logout_url(
                post_logout_redirect_uri=_public("/sign-in?out=1"),
                id_token_hint=id_token,
                state=state,
                client_id=setting("OIDC_CLIENT_ID"),
            )
    except Problem as problem:
        structlog.get_logger("slipway").warning("provider_sign_out_skipped", reason=_reason(problem))
        return None
    return answer["url"]


def provider_host() -> str:
    """Return the host people are sent to, for them to recognise."""
    return urlsplit(setting("OIDC_ISSUER")).netloc


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what the libraries raise into ours: not reachable, or not to be trusted."""
    try:
        yield
    except requests.RequestException as error:
        log = structlog.get_logger("slipway")
        log.error(
            "provider_unavailable", error=type(error).__name__, status=getattr(error.response, "status_code", None)
        )
        sentence = f"{provider_host()} does not answer as a sign-in provider should. Try again in a minute."
        raise Unavailable(sentence) from error
    except BROKEN as error:
        raise SignInRefused(f"{type(error).__name__}: {error}") from error


def _asked(provider: Provider) -> dict[str, Any]:
    """Return what we remember of the request this is the answer to; it must be this browser's, and not yet used."""
    state = request.args.get("state")
    asked = provider.framework.get_state_data(flask_session, state) if state else None
    if not asked or not asked.get("nonce") or not asked.get("code_verifier"):
        sentence = "This sign-in was not started in this browser, is too old, or was already used. Start again."
        raise SignInRefused("the state is unknown", sentence)
    # The library keeps the moment a request expires, but does not compare it.
    if flask_session[f"_state_{provider.name}_{state}"].get("exp", 0) < time.time():
        raise SignInRefused("the state is too old", "The sign-in took more than an hour. Start again.")
    return asked


def _check_issuer_parameter(provider: Provider) -> None:
    metadata = provider.load_server_metadata()
    named = request.args.get("iss")
    is_promised = metadata.get("authorization_response_iss_parameter_supported") is True
    if (named is not None or is_promised) and named != provider.issuer:
        raise SignInRefused(f"the answer comes from the issuer {named!r}")


def _expected(provider: Provider) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "values": [provider.issuer]},
        "aud": {"essential": True, "value": provider.client_id},
        "sub": {"essential": True},
        "nonce": {"essential": True},
    }


def _check_claims(token: Mapping[str, Any], provider: Provider) -> Mapping[str, Any]:
    claims = token.get("userinfo")
    if not token.get("id_token") or claims is None:
        raise SignInRefused("the answer holds no ID token")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise SignInRefused("the subject is no text of 1 to 255 characters")
    if claims["aud"] not in (provider.client_id, [provider.client_id]):
        raise SignInRefused(f"the token is for {claims['aud']!r}")
    return claims


def _read_userinfo(provider: Provider, token: Mapping[str, Any], subject: str) -> Mapping[str, Any]:
    if not provider.load_server_metadata().get("userinfo_endpoint"):
        return {}
    userinfo = provider.userinfo(token=token)
    if userinfo.get("sub") != subject:
        raise SignInRefused("userinfo speaks of somebody else")
    return userinfo


def _groups(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the groups named; a provider that names none says that the person is in none."""
    groups = claims.get(setting("OIDC_GROUPS_CLAIM")) or ()
    groups = (groups,) if isinstance(groups, str) else groups
    return tuple(group for group in groups if isinstance(group, str)) if isinstance(groups, (list, tuple)) else ()


def _reason(problem: Problem) -> str:
    return problem.reason if isinstance(problem, SignInRefused) else problem.sentence


def _callback() -> str:
    return _public("/sign-in/callback")


def _public(path: str) -> str:
    return setting("PUBLIC_URL").rstrip("/") + path


def _provider() -> Provider:
    return current_app.extensions["oidc"]


def setting(name: str) -> str:
    """Return a setting of the running portal."""
    return current_app.extensions["config"][name]
