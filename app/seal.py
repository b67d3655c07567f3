"""Encrypting what must be kept for a while but never read in the database: `SLIPWAY_SEAL_KEY` opens it."""

import base64
import binascii

from cryptography.fernet import Fernet, InvalidToken
from flask import Flask, current_app

from app.config import Config


class SealBroken(Exception):
    """Sealed with another key, or changed since."""


def init_app(app: Flask, config: Config) -> None:
    """Check the key, so that a wrong one stops the start and not the first launch."""
    app.extensions["seal"] = Fernet(check_key(config["SLIPWAY_SEAL_KEY"]))


def check_key(key: str) -> bytes:
    """Return the key as bytes; raises SystemExit naming the setting when it is not 32 bytes in URL-safe base64."""
    try:
        size = len(base64.urlsafe_b64decode(key.encode()))
    except (binascii.Error, UnicodeEncodeError, ValueError):
        size = 0
    if size != 32:
        raise SystemExit("SLIPWAY_SEAL_KEY must be 32 random bytes in URL-safe base64 (44 characters).")
    return key.encode()


def seal(text: str) -> bytes:
    """Encrypt the text. Sealing twice gives two different results."""
    return _fernet().encrypt(text.encode())


def unseal(sealed: bytes) -> str:
    """Decrypt what `seal` returned; raises SealBroken when the key changed or the bytes did."""
    try:
        return _fernet().decrypt(sealed).decode()
    except InvalidToken:
        raise SealBroken("This was sealed with another SLIPWAY_SEAL_KEY.") from None


def _fernet() -> Fernet:
    return current_app.extensions["seal"]
