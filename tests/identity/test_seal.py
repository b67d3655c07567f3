"""Sealing: what is sealed can be read with the key, and with nothing else."""

import pytest

from app import seal
from tests.support.settings import settings


def test_what_is_sealed_comes_back(app):
    sealed = seal.seal("a secret: ü")
    assert b"secret" not in sealed
    assert seal.seal("a secret: ü") != sealed
    assert seal.unseal(sealed) == "a secret: ü"


def test_another_key_does_not_open_it(make_app):
    with make_app().app_context():
        sealed = seal.seal("a secret")
    with (
        make_app(SLIPWAY_SEAL_KEY="b3RoZXItdGVzdHMtc2VhbC1rZXktMzItYnl0ZXMtISE=").app_context(),
        pytest.raises(seal.SealBroken, match="another SLIPWAY_SEAL_KEY"),
    ):
        seal.unseal(sealed)


@pytest.mark.parametrize("key", ["short", "not base64 at all, but quite long enough!!", "ü" * 44, "a" * 44])
def test_a_wrong_key_stops_the_start_and_is_named(key, tmp_path):
    config = settings("sqlite://", tmp_path, SLIPWAY_SEAL_KEY=key)
    with pytest.raises(SystemExit, match="SLIPWAY_SEAL_KEY must be 32 random bytes"):
        seal.check_key(config["SLIPWAY_SEAL_KEY"])
