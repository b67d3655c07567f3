"""Signing in and out."""

import hmac
import secrets

import structlog
from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from app import audit, db, seal
from app.errors import Forbidden, Problem
from app.identity import oidc, people, sessions
from app.identity.current import find_me, is_local, me

bp = Blueprint("identity", __name__)


@bp.get("/sign-in")
def sign_in() -> BaseResponse:
    """Show the door, or let pass who is already in."""
    wanted = _wanted()
    if find_me() is not None:
        return redirect(wanted or "/", 303)
    return Response(_door(wanted=wanted, said=_goodbye() if "out" in request.args else None))


@bp.get("/sign-in/start")
def start() -> BaseResponse:
    """Send the browser to the provider. A link and not a form: the policy lets forms lead nowhere but here."""
    try:
        return redirect(oidc.start(_wanted()), 303)
    except Problem as problem:
        return _refuse(problem)


@bp.get("/sign-in/callback")
def callback() -> BaseResponse:
    """Take the provider's answer and begin a session."""
    try:
        answer = oidc.finish()
    except Problem as problem:
        return _refuse(problem)
    return _let_in(answer)


@bp.post("/sign-out")
def sign_out() -> BaseResponse:
    """End the session here, then at the provider.

    The provider is reached by a page that goes on by itself: browsers apply `form-action 'self'` to the redirects
    after a form too.
    """
    id_token = _kept_id_token()
    sessions.end(sessions.current().token)
    audit.record("person:signed_out", "person", me.username, f"{me.name} signed out.", by=me)
    db.session.commit()
    sessions.current().forget()
    state = secrets.token_urlsafe(16)
    onward = oidc.sign_out_address(id_token, state)
    if onward is None:
        return redirect("/sign-in?out=1", 303)
    sessions.current()["sign_out_state"] = state
    return Response(render_template("identity/signed_out.html", onward=onward, provider=oidc.provider_host()))


def _let_in(answer: oidc.Answer) -> BaseResponse:
    db.writing()
    try:
        person = people.welcome(oidc.setting("OIDC_ISSUER"), answer.claims, answer.groups)
    except Forbidden as problem:
        return _refuse(problem, answer)
    sid = answer.claims.get("sid")
    token = sessions.begin(
        person,
        provider_sid=sid if isinstance(sid, str) else None,
        id_token=answer.id_token,
        instead_of=sessions.current().token,
    )
    db.session.commit()
    sessions.current().replace(token)
    return redirect(answer.wanted or "/", 303)


def _refuse(problem: Problem, answer: oidc.Answer | None = None) -> Response:
    """Show the door with the reason. Who got as far as the provider and back is recorded; noise is only logged."""
    reason = getattr(problem, "reason", problem.sentence)
    structlog.get_logger("slipway").warning("sign_in_refused", reason=reason)
    if answer or sessions.current().modified:
        db.writing()
        subject = str(answer.claims["sub"]) if answer else "unknown"
        audit.record("person:signed_in", "person", subject[:100], f"Refused: {reason}", outcome="denied")
        db.session.commit()
    return Response(_door(refusal=problem.sentence), status=problem.status)


def _door(wanted: str | None = None, refusal: str | None = None, said: str | None = None) -> str:
    return render_template(
        "identity/sign_in.html",
        wanted=wanted,
        refusal=refusal,
        said=said,
        provider=oidc.provider_host(),
        provider_name=oidc.setting("OIDC_NAME"),
    )


def _wanted() -> str | None:
    wanted = request.args.get("next")
    return wanted if is_local(wanted) else None


def _goodbye() -> str:
    """Say how far the sign-out got: only the provider's own way back carries the state we sent with it."""
    sent, came = sessions.current().pop("sign_out_state", ""), request.args.get("state", "")
    if sent and hmac.compare_digest(sent.encode(), came.encode()):
        return f"You are signed out, here and at {oidc.provider_host()}."
    return "You are signed out of Slipway."


def _kept_id_token() -> str | None:
    row = sessions.current().row
    try:
        return seal.unseal(row.id_token) if row and row.id_token else None
    except seal.SealBroken:
        return None
