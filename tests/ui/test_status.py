import pytest

from app.status import STATUS, look
from app.ui import icon

TONES = {None, "ok", "move", "warn", "bad", "special", "unknown"}


@pytest.mark.parametrize("status", STATUS)
def test_every_status_has_a_word_an_icon_we_ship_and_a_known_tone(status: str) -> None:
    seen = look(status)
    assert seen.word
    assert seen.tone in TONES
    assert "<path" in icon(seen.icon, None, seen.filled)


@pytest.mark.parametrize("status", STATUS)
def test_only_what_moves_turns_and_only_what_moves_is_blue(status: str) -> None:
    assert look(status).spin == (look(status).tone == "move")


def test_what_cloudformation_says_is_understood_as_received() -> None:
    assert look("CREATE_COMPLETE").word == "Ready"
    assert look("DELETE_FAILED").tone == "bad"


def test_a_status_nobody_knows_keeps_its_word_and_says_so() -> None:
    assert (look("SOMETHING_NEW").word, look("SOMETHING_NEW").icon) == ("Something new", "help-circle")
