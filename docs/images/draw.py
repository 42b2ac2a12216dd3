"""Draws the pictures of the READMEs and of roofline.md from a saved run, in both languages:

    cyclescope calibrate
    cyclescope measure minilm --text "Where does the time go?" --threads 1 --out minilm.cycle
    python docs/images/draw.py minilm.cycle

The first page of the terminal, which the READMEs show as text, is `cyclescope show minilm.cycle` of the same run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
# By language: what its pictures end with.
ENDINGS = {"en": "png", "zh": "zh.png"}
WIDTH, HEIGHT = 1280, 1760
ROOFLINE_HEIGHT = 1060  # down to the legend; the tables behind it stand in roofline.md as text


def page_of(run: Path, language: str) -> str:
    command = [sys.executable, "-m", "cyclescope", "--lang", language, "show", str(run), "--as", "html"]
    return subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout


def draw(browser: Browser, html: str, ending: str) -> None:
    """The top of the page, and its section about the ceilings."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", reduced_motion="reduce")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(html, encoding="utf-8")
        page.goto(file.as_uri())
        page.screenshot(path=HERE / f"page.{ending}")
        page.evaluate("document.querySelector('header').remove()")  # the bar on top, which would cover what is below
        box = page.locator("#roofline").bounding_box()
        assert box is not None
        page.screenshot(path=HERE / f"roofline.{ending}", full_page=True, clip={**box, "height": ROOFLINE_HEIGHT})
    page.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run file, measured where ceilings are known")
    given = parser.parse_args()
    chromium = os.environ.get("CYCLESCOPE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for language, ending in ENDINGS.items():
            draw(opened, page_of(given.run, language), ending)
        opened.close()
