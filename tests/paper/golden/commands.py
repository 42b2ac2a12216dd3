"""Commands whose help is recorded, and what each kind of bad input is answered with. None of them needs a framework."""

from __future__ import annotations

from pathlib import Path

from optimizing.recipes import USUAL

from cyclescope.optimizing.recipes.recipe import save_recipe

COMMANDS = (
    "",
    "measure",
    "predict",
    "import",
    "compare",
    "optimize",
    "apply",
    "verify",
    "show",
    "trace",
    "tokens",
    "models",
    "calibrate",
    "doctor",
    "define",
    "demo",
)
ERRORS_FILE = "errors.{language}.txt"


def files(folder: Path) -> None:
    """The files that the commands below name."""
    (folder / "empty.txt").write_text("\n \n", encoding="utf-8")
    (folder / "latin.txt").write_bytes(b"na\xefve\n")
    (folder / "texts.txt").write_text("one\ntwo\n", encoding="utf-8")
    (folder / "empty.cycle").write_bytes(b"")
    (folder / "text.cycle").write_text("no run", encoding="utf-8")
    (folder / "broken.toml").write_text("a = ", encoding="utf-8")
    (folder / "foreign.toml").write_text('schema = "another"\n', encoding="utf-8")
    (folder / "full").mkdir()
    (folder / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    save_recipe(USUAL, folder / "recipe.toml")


ERRORS: tuple[list[str], ...] = tuple(
    line.split() if isinstance(line, str) else line
    for line in (
        "measure",
        "mesure gpt2",
        "measure gpt2 --tokns 4",
        "measure gpt2 --tokens four",
        "measure gpt2 --tokens",
        "measure gpt2 --json=3",
        "measure gpt2 more",
        "apply recipe.toml",
        "measure gpt2 --tokens 0",
        "predict gpt2 --on elsewhere",
        "predict gpt2 --on this",
        "predict gpt2 --on h100 --tokens 0",
        "measure gpt2 --batch 0",
        "measure gpt2 --threads -1",
        "measure gpt2 --budget 0",
        "measure gpt2 --budget soon",
        "measure gpt2 --weights randm",
        "measure gpt2",
        "measure gpt2 --text a --tokens 4",
        "measure gpt2 --text a --text-file texts.txt",
        "measure gpt2 --text-file empty.txt",
        "measure gpt2 --text-file latin.txt",
        "measure gpt2 --text-file none.txt",
        "measure gpt2 --new-tokens 0",
        "measure gpt2 --chat-template plain",
        "measure gpt2 --task chat --text a --out a.cycle",
        "measure gpt2 --task chat",
        "measure gpt2 --task chat --text a --batch 2",
        "measure gpt2 --task answer --question q",
        "measure gpt2 --out same.cycle --html same.cycle",
        "measure gpt2 --out nowhere/a.cycle",
        "measure gpt2 --out full",
        "import none.json",
        "import empty.txt",
        "import broken.toml",
        "import full",
        "import empty.cycle",
        "import texts.txt --tokens 8",
        "show none.cycle",
        "show empty.cycle",
        "show text.cycle",
        "show full",
        "show none.cycle --as pdf",
        "compare a.cycle b.cycle",
        "compare a.cycle gpt2 --a threads=1",
        "compare gpt2 gpt2 --a threds=1",
        "compare gpt2 gpt2 --a threads=one",
        "compare gpt2 gpt2 --b weights=heavy",
        "compare gpt2 gpt2 --fail-if-slower 5",
        "compare gpt2 gpt2 --threshold much",
        "compare gpt2 gpt2 --fail-if-slower 5% --attention spda",
        "optimize gpt2 --threads 0",
        "optimize gpt2 --max-drift 2",
        "optimize gpt2 --max-loss 0.1",
        "optimize gpt2 --strategy magic",
        "optimize gpt2 --without magic",
        "optimize gpt2 --labels empty.txt",
        "optimize gpt2 --text-file latin.txt",
        "optimize gpt2 --recipe texts.txt --text-file texts.txt",
        "apply none.toml --out code",
        "apply broken.toml --out code",
        "apply foreign.toml --out code",
        "apply recipe.toml --out full",
        "apply recipe.toml --out texts.txt",
        "verify none.toml",
        "verify recipe.toml --budget 0",
        "verify recipe.toml --text a --tokens 4",
        "verify recipe.toml --markdown nowhere/page.md",
        "tokens bert-tiny --text a --text-file texts.txt",
        "tokens bert-tiny --budget 0",
        "calibrate --threads 1,,2",
        "calibrate --engine openvino",
        "calibrate --learn --engine openvino --ray auto",
        "define tppt",
        ["measure", "gpt2", "--text", " "],
        ["show", "none.cycle", "--lang", "tlh"],
    )
)
