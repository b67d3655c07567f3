"""What a browser window complains about: scripts that break, the content policy, answers that should not be."""

from playwright.sync_api import ConsoleMessage, Page, Response


class Watch:
    """Collects the complaints of one window about the portal's own pages; the provider's are not ours."""

    def __init__(self, page: Page, home: str):
        self.page = page
        self.home = home
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._console)
        page.on("response", self._response)

    def _console(self, said: ConsoleMessage) -> None:
        # An answer that is an error is judged below, where it is known whether it was meant to be one.
        is_ours = said.location.get("url", self.home).startswith(self.home)
        if said.type in ("error", "warning") and is_ours and "Failed to load resource" not in said.text:
            self.complaints.append(said.text)

    def _response(self, answer: Response) -> None:
        # A page may refuse; what a page fetches by itself may not fail.
        limit = 500 if answer.request.is_navigation_request() else 400
        if answer.url.startswith(self.home) and answer.status >= limit:
            self.complaints.append(f"{answer.request.method} {answer.url} answered {answer.status}")
