"""What Python embeds in the HTML page has the shape that the scripts declare, nothing more and nothing less."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from paper_generation import paper_decoder, paper_generation
from paper_html import render
from paper_models import paper_bert, paper_cycle, slot_times
from paper_roofline import on_paper_machine, paper_ceilings

from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation

HOME = Path(__file__).parents[2] / "js"
TSC = HOME / "node_modules" / ".bin" / "tsc"


def embedded(explanation: Explanation) -> str:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', render(explanation), re.DOTALL)
    assert found
    return found[1]


def complaints(data: dict[str, str], folder: Path) -> dict[str, list[str]]:
    """What the checker of types says of pieces of data, by their names, if each is the data of a page."""
    config = json.loads((HOME / "tsconfig.json").read_text(encoding="utf-8"))
    for name, text in data.items():
        (folder / f"{name}.js").write_text(f"/** @type {{PageData}} */\nexport const {name} = {text};\n", "utf-8")
    include = [*(f"{name}.js" for name in data), *(os.path.normpath(HOME / pattern) for pattern in config["include"])]
    (folder / "tsconfig.json").write_text(json.dumps({"extends": str(HOME / "tsconfig.json"), "include": include}))
    if not TSC.exists():
        pytest.fail(f"{TSC} must be installed, and is not; `make test-scripts` installs it")
    run = [TSC, "-p", folder, "--pretty", "false"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    said: dict[str, list[str]] = {}
    for line in (done.stdout + done.stderr).splitlines():
        if not line.startswith(" "):
            said.setdefault(Path(line.partition("(")[0]).stem, []).append(line.partition(": ")[2])
    return said


def test_the_data_of_a_page_is_what_the_scripts_declare(tmp_path: Path) -> None:
    graph = paper_bert(2)
    cycle = paper_cycle(graph, slot_times(graph))
    pages = {
        "without_ceilings": explain(cycle),
        "with_ceilings": explain(on_paper_machine(cycle, paper_ceilings(faster=5.0))),
        "generation": explain(paper_generation(paper_decoder(4))),
        "interrupted": explain(paper_cycle(paper_bert(2), instrumented=False, partial=True)),
    }
    data = {name: embedded(page) for name, page in pages.items()}
    # Were the checker content with everything, it would be with this too.
    other = json.loads(data["with_ceilings"])
    other["timeline"]["spans"]["colour"] = []
    del other["what-if"]["texts"]["change"]

    said = complaints({**data, "other": json.dumps(other)}, tmp_path)

    assert said.keys() == {"other"}
    assert set(re.findall(r"colour|change", " ".join(said["other"]))) == {"change", "colour"}
