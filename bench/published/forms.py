"""One template through the pages of the portal: the form, the check while typing, the answers sent off."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from app.cloudformation.parameters import Parameter, parameters
from bench.published.files import Found
from bench.published.portal import Portal

# The number the factory gives a version.
VERSION = "1.0.0"


@dataclass
class Sent:
    """What the pages answered. `stack` is the reference of the stack that was asked for, when answers were accepted."""

    form_status: int = 0
    check_status: int = 0
    submit_status: int = 0
    fields: int = 0
    without_field: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    stack: str = ""


class _Page(HTMLParser):
    """Collects the names of a page's controls and the message beside each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.messages: dict[str, str] = {}
        self._place = ""
        self._speaking_of = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag in ("input", "select", "textarea") and found.get("name"):
            self.names.add(str(found["name"]))
        if tag == "div" and found.get("class") == "said":
            self._place = str(found.get("id") or "").removeprefix("f-").removesuffix("-e")
        if tag == "p" and found.get("class") == "error":
            self._speaking_of = self._place

    def handle_data(self, data: str) -> None:
        if self._speaking_of and data.strip():
            self.messages[self._speaking_of] = self.messages.get(self._speaking_of, "") + data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._speaking_of = ""


def try_form(portal: Portal, found: Found, template: str, environment: str, name: str, answers: dict[str, str]) -> Sent:
    """Ask for the form, have the answers checked, and send them off as a browser would."""
    assert found.body is not None
    fields = parameters(found.body)
    address = f"/catalog/{template}/launch"
    form = portal.browser.get(address, query_string={"environment": environment})
    page = _Page(form.text)
    data = _typed(fields, answers) | {
        "environment": environment,
        "name": name,
        "team": "platform",
        "version": VERSION,
        "made_for": f"{VERSION} {environment}",
    }
    sent = Sent(form.status_code, fields=len(fields))
    sent.without_field = [each.name for each in fields if f"parameters.{each.name}" not in page.names]
    sent.check_status = portal.browser.post(f"{address}/check", data=data, htmx=True).status_code
    answer = portal.browser.post(address, data=data)
    sent.submit_status = answer.status_code
    if answer.status_code == 303:
        sent.stack = answer.location.rsplit("/", 1)[1]
    elif answer.status_code == 422:
        sent.reasons = _Page(answer.text).messages
    return sent


def _typed(fields: tuple[Parameter, ...], answers: dict[str, str]) -> dict[str, str | list[str]]:
    """Give the answers as controls send them: several values of one name for a list."""
    return {
        f"parameters.{each.name}": answers[each.name].split(",") if each.is_list else answers[each.name]
        for each in fields
    }
