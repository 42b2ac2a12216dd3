"""A page that is open in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route


@dataclass
class Visit:
    """An open page, and what it asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def data(self, name: str) -> float:
        """A figure that the timeline tells of itself after it has drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        value = self.page.locator("#timeline-chart").get_attribute(f"data-{name}")
        assert value is not None
        return float(value)

    @property
    def view(self) -> tuple[float, float]:
        return self.data("start"), self.data("end")


Open = Callable[..., Visit]


class Tabs:
    """The tabs of one browser, which tests use in turn: a new one costs more than most tests do.

    A tab that is opened again has the size, the media and the empty storage of a new one; the document is loaded anew.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._tabs: list[_Tab] = []

    def open(self, number: int, address: str, size: tuple[int, int], scheme: str) -> Visit:
        """Load `address` into the tab `number`, which may fetch nothing else."""
        if number == len(self._tabs):
            self._tabs.append(_Tab(self._browser))
        return self._tabs[number].load(address, size, scheme)

    def leave(self, number: int, visit: Visit) -> None:
        self._tabs[number].leave(visit)


class _Tab:
    def __init__(self, browser: Browser) -> None:
        self._page = browser.new_context().new_page()
        self._visit = Visit(self._page)
        self._address = ""
        self._page.route("**/*", self._asked)
        self._page.on("console", self._complained)
        self._page.on("pageerror", self._failed)

    def load(self, address: str, size: tuple[int, int], scheme: str) -> Visit:
        self._address, self._visit = address, Visit(self._page)
        self._page.set_viewport_size({"width": size[0], "height": size[1]})
        self._page.emulate_media(
            media="screen", color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
        )
        self._page.goto(address)
        return self._visit

    def leave(self, visit: Visit) -> None:
        """Forget what the document has stored, and close it: its timers must not reach the next test."""
        self._page.mouse.move(0, 0)
        self._page.evaluate("localStorage.clear()")
        self._visit = Visit(self._page)
        self._address = "about:blank"
        self._page.goto(self._address)

    def _asked(self, route: Route) -> None:
        self._visit.requests.append(route.request.url)
        if route.request.url == self._address:
            route.continue_()
        else:
            route.abort()

    def _complained(self, message: ConsoleMessage) -> None:
        self._visit.complaints.append(f"{message.type}: {message.text}")

    def _failed(self, error: Error) -> None:
        self._visit.complaints.append(f"error: {error}")
