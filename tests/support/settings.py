"""Settings of a portal under test."""

from pathlib import Path

from app.config import Config, read_config

ISSUER = "http://127.0.0.1:9/idp"


def settings(database_url: str, data: Path, **changes: str) -> Config:
    """Return the settings of a portal on this database, with some of them changed."""
    values = {
        "SLIPWAY_DATA": str(data),
        "DATABASE_URL": database_url,
        "DATABASE_POOL": "3",
        "SECRET_KEY": "a secret of the tests",
        "SLIPWAY_SEAL_KEY": "c2xpcHdheS10ZXN0cy1zZWFsLWtleS0zMi1ieXRlcy4=",
        "PUBLIC_URL": "http://localhost",
        "OIDC_ISSUER": ISSUER,
        "OIDC_CLIENT_SECRET": "a client secret of the tests",
        # A test's cloud is its own, and is looked at more often than any other would bear.
        "AWS_CALLS_PER_SECOND": "0",
        "LOG_LEVEL": "WARNING",
        "LOG_FORMAT": "text",
    }
    return read_config(values | changes)


# What Slipway's own identity in the cloud is made of; the local cloud takes any.
CLOUD_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "111122223333",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
