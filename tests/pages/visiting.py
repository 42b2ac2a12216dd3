"""A page that is open in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page


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
