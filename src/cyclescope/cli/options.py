"""Options that several commands have, each declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cyclescope.backends.engines import engine_names
from cyclescope.cli.duration import seconds
from cyclescope.cli.forms import FlowLevel, Language
from cyclescope.core.plan import REFERENCE_ENGINE


class Sampling(StrEnum):
    """How the next token is chosen."""

    GREEDY = "greedy"
    SAMPLE = "sample"


class KvCache(StrEnum):
    """How keys and values of earlier tokens are kept."""

    DYNAMIC = "dynamic"
    STATIC = "static"
    OFF = "off"


class WeightsWanted(StrEnum):
    """Where the weights come from."""

    AUTO = "auto"
    PRETRAINED = "pretrained"
    RANDOM = "random"


if TYPE_CHECKING:

    class EngineName(StrEnum):
        """What runs the model: the names of all engines there are."""
else:
    EngineName = StrEnum("EngineName", [(name, name) for name in engine_names()])
DEFAULT_ENGINE = EngineName(REFERENCE_ENGINE)


class Attention(StrEnum):
    """How attention is computed."""

    EAGER = "eager"
    SDPA = "sdpa"


def budget_option(told: str, usual: str = "") -> Any:
    """The option of how long something may take: what is `told` of it, and what is `usual`, where that is always the same."""
    return typer.Option(parser=seconds, metavar="TIME", help=told, show_default=usual or False)


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
AttentionOption = Annotated[
    Attention | None, typer.Option(help="Else what transformers takes by itself.", show_default=False)
]
BatchOption = Annotated[int | None, typer.Option(help="Repeat the texts to this many.", show_default=False)]
BatchedTexts = Annotated[
    list[str] | None, typer.Option("--text", "-t", help="A text; several make a batch.", show_default=False)
]
CacheOption = Annotated[KvCache, typer.Option(help="How keys and values are kept.")]
DeviceOption = Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")]
DtypeOption = Annotated[str, typer.Option(help="float32, bfloat16 or float16.")]
EngineOption = Annotated[EngineName, typer.Option(help="What runs the model.")]
HtmlFile = Annotated[Path | None, typer.Option(help="Write the page to this file.", show_default=False)]
LanguageOption = Annotated[Language, typer.Option(help="Language of the reports.")]
LevelOption = Annotated[FlowLevel, typer.Option(help="How finely --as mermaid draws.")]
MarkdownFile = Annotated[Path | None, typer.Option(help="Write Markdown to this file.", show_default=False)]
ModelInstead = Annotated[
    str | None, typer.Option(help="A folder or name in place of the recipe's model.", show_default=False)
]
NewTokensOption = Annotated[int | None, typer.Option(help="Write this many tokens.", show_default=False)]
RowsOption = Annotated[int | None, typer.Option(help="With --tokens: how many rows.", show_default=False)]
SamplingOption = Annotated[Sampling, typer.Option(help="How each token is chosen.")]
SeedOption = Annotated[int, typer.Option(help="Of random weights and made-up tokens.")]
TaskOption = Annotated[str, typer.Option(help="As for `measure`; no chat.")]
TextFile = Annotated[Path | None, typer.Option(help="Texts, one a line (UTF-8).", show_default=False)]
TextFileOrInput = Annotated[
    str | None, typer.Option(help="A file with one text a line; - is standard input.", show_default=False)
]
Texts = Annotated[list[str] | None, typer.Option("--text", "-t", help="A text; several times.", show_default=False)]
ThreadsOption = Annotated[
    int | None, typer.Option(help="Threads inside one operation. Default: the engine's choice.", show_default=False)
]
TokensOption = Annotated[
    int | None, typer.Option(help="Made-up tokens instead of a text: how many.", show_default=False)
]
TrustRemoteCode = Annotated[bool, typer.Option("--trust-remote-code", help="Run Python code that came with a model.")]
WeightsOption = Annotated[WeightsWanted, typer.Option(help="As for `measure`.")]
