"""The catalogs of the translators: `python tools/words.py` after a sentence has been changed.

    words.py            extract all messages and bring every catalog up to date; print what has no translation yet
    words.py fill FILE  enter translations: FILE is a JSON object {English: translation} ([English, plural] by the English)
    words.py check      exit 1 if a message is missing, fuzzy, unused or has other braces, if a Latin word touches an
                        ideograph, or a .mo is out of date
    words.py new TAG    begin a catalog for another language

With --lang TAG (default zh). `--memory FILE` with a JSON object as above enters what it knows on the way.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from cyclescope.core.message import braces  # noqa: E402 - found only after the line above

SOURCE = ROOT / "src" / "cyclescope"
CATALOGS = SOURCE / "report" / "words"
METHODS = [("**.py", "python"), ("**.j2", "jinja2")]
_NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)
# A name in braces becomes what stands there, whose spaces the translator sees to.
_TOUCHING = re.compile(r"[\u4e00-\u9fff][A-Za-z]|(?<![{\w])[A-Za-z]+[\u4e00-\u9fff]")
_BOILERPLATE = tuple(
    f'"{name}:'
    for name in (
        "Project-Id-Version",
        "Report-Msgid-Bugs-To",
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Language-Team",
        "Generated-By",
    )
)
KEYWORDS = {"m": None, "N_": None, "_": None, "plural": (1, 2), "ngettext": (1, 2), "in_context": ((1, "c"), 2)}


def extracted() -> Catalog:
    """Every message of the sources, with the files it stands in (without lines, which change every day)."""
    template = Catalog(project="cyclescope", charset="utf-8")
    found = extract_from_dir(str(SOURCE), METHODS, keywords=KEYWORDS, comment_tags=("Translators:",))
    for filename, _, text, comments, context in found:
        template.add(text, None, [(filename.replace("\\", "/"), None)], auto_comments=comments, context=context)
    return template


def loaded(tag: str) -> Catalog:
    with (CATALOGS / f"{tag}.po").open("rb") as file:
        return read_po(file, locale=tag)


def updated(tag: str) -> Catalog:
    """The catalog with exactly the messages of today's sources, and the translations that it had."""
    old, new = loaded(tag), extracted()
    fresh = empty(tag)
    for message in sorted((m for m in new if m.id), key=_key):
        known = old.get(message.id, message.context) or old.get(_first(message.id), message.context)
        text = _as_wanted(message, known.string if known else "")
        fresh.add(message.id, text, message.locations, auto_comments=message.auto_comments, context=message.context)
    return fresh


def empty(tag: str) -> Catalog:
    """A catalog of one language without any message."""
    return Catalog(locale=tag, header_comment=f"# The sentences of cyclescope: {tag}.", fuzzy=False)


def _first(text: str | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def _key(message: Message) -> tuple[str, str]:
    return _first(message.id), message.context or ""


def _as_wanted(message: Message, string: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """A translation in the form that the message has today: one text, or one for each plural form."""
    first = _first(string or "")
    return (first,) if message.pluralizable else first


def entered(catalog: Catalog, memory: Mapping[str, str]) -> None:
    """Give messages without a translation the one that `memory` has."""
    for message in catalog:
        if message.id and not _first(message.string or "") and _first(message.id) in memory:
            message.string = _as_wanted(message, memory[_first(message.id)])


def written(catalog: Catalog, tag: str) -> None:
    (CATALOGS / f"{tag}.po").write_bytes(as_po(catalog))
    (CATALOGS / f"{tag}.mo").write_bytes(as_mo(catalog))


def as_po(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=120, include_lineno=False)
    lines = buffer.getvalue().decode("utf-8").splitlines(keepends=True)
    # Dates and addresses that Babel puts there would change with every run, and say nothing.
    return "".join(line for line in lines if not line.startswith(_BOILERPLATE)).encode("utf-8")


def as_mo(catalog: Catalog) -> bytes:
    catalog.creation_date = catalog.revision_date = _NO_DATE
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def missing(catalog: Catalog) -> list[str]:
    return [_first(m.id) for m in catalog if m.id and not _first(m.string or "")]


def faults(tag: str) -> Iterator[str]:
    """What is wrong with a catalog, a line each."""
    catalog, wanted = loaded(tag), extracted()
    for message in wanted:
        if message.id and catalog.get(message.id, message.context) is None:
            yield f"not in the catalog: {_first(message.id)!r}"
    for message in catalog:
        if not message.id:
            continue
        if wanted.get(message.id, message.context) is None:
            yield f"not in the sources: {_first(message.id)!r}"
        if message.fuzzy:
            yield f"fuzzy: {_first(message.id)!r}"
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if not all(texts):
            yield f"not translated: {_first(message.id)!r}"
        english = message.id if isinstance(message.id, tuple | list) else (message.id,)
        if any(set(braces(text)) - set(braces(english[-1])) for text in texts) or (
            len(english) == 1 and any(braces(text) != braces(english[0]) for text in texts if text)
        ):
            yield f"other braces: {_first(message.id)!r} {texts!r}"
        if any(_TOUCHING.search(text) for text in texts if text):
            yield f"a space between an ideograph and a Latin word is missing: {texts!r}"
    if (CATALOGS / f"{tag}.mo").read_bytes() != as_mo(catalog):
        yield f"{tag}.mo is not compiled from {tag}.po"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", nargs="?", default="update", choices=("update", "fill", "check", "new"))
    parser.add_argument("file", nargs="?")
    parser.add_argument("--lang", default="zh")
    parser.add_argument("--memory")
    given = parser.parse_args()
    if given.action == "check":
        found = list(faults(given.lang))
        print("\n".join(found) or f"{given.lang}: every message is translated")
        return 1 if found else 0
    if given.action == "new":
        written(empty(given.file), given.file)
        given.lang = given.file
    catalog = updated(given.lang)
    for name in filter(None, (given.file if given.action == "fill" else None, given.memory)):
        entered(catalog, json.loads(Path(name).read_text(encoding="utf-8")))
    written(catalog, given.lang)
    left = missing(catalog)
    print(json.dumps(left, ensure_ascii=False, indent=0) if left else f"{given.lang}: every message is translated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
