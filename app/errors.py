"""The few things that can go wrong for a person: each knows its status and its sentence."""

from collections.abc import Mapping


class Problem(Exception):
    """Something the person can understand and act on.

    `patience` says how many times in a row background work asks again before it takes this for the answer.
    """

    status = 400
    title = "This request cannot be done"
    # What the answer's head says besides, such as which methods there are.
    headers: Mapping[str, str] = {}
    patience: float = 0

    def __init__(self, sentence: str, *, field: str | None = None, errors: dict[str, list[str]] | None = None):
        super().__init__(sentence)
        self.sentence = sentence
        self.errors = errors or ({field: [sentence]} if field else {})


class Invalid(Problem):
    """What was sent is not acceptable; `errors` names each field."""

    status = 422
    title = "Some answers need another look"


class NotFound(Problem):
    """Missing and hidden look the same from outside."""

    status = 404
    title = "There is nothing here"

    def __init__(self, sentence: str = "Either it never existed, it was removed, or you may not see it."):
        super().__init__(sentence)


class Forbidden(Problem):
    """The person may not do this; the sentence names the rule, `who` says who can change it."""

    status = 403
    title = "You may not do this"

    def __init__(self, sentence: str, who: str = ""):
        super().__init__(sentence)
        self.who = who


class SignInNeeded(Problem):
    """Nobody is signed in, or the token is not good."""

    status = 401
    title = "Sign in first"


class Conflict(Problem):
    """Too late, or something is in the way; the page says what happened meanwhile."""

    status = 409
    title = "Something is in the way"

    def __init__(self, sentence: str, *, job: str | None = None, field: str | None = None):
        super().__init__(sentence, field=field)
        self.job = job


class Unavailable(Problem):
    """Something Slipway depends on does not answer."""

    status = 503
    title = "Slipway cannot do this right now"
