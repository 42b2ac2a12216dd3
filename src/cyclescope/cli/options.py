"""Options that several commands have, each declared once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from cyclescope.backends.engines import engine_names
from cyclescope.cli.duration import seconds
from cyclescope.cli.files import given_texts
from cyclescope.cli.language import LANG_HELP, known_language
from cyclescope.cli.refusals import not_one_of
from cyclescope.core.message import N_
from cyclescope.core.plan import REFERENCE_ENGINE

if TYPE_CHECKING:
    from cyclescope.measuring.options import MeasureOptions


class Task(StrEnum):
    """What the model is asked for."""

    AUTO = "auto"
    EMBED = "embed"
    CLASSIFY = "classify"
    FILL = "fill"
    ANSWER = "answer"
    TRANSLATE = "translate"
    GENERATE = "generate"
    CHAT = "chat"


ENGINE = "--engine"


def known_engine(name: str) -> str:
    """`name`, if it is that of an engine: of one that the tuple of engines has now. Raises `UsageError`."""
    names = engine_names()
    if name not in names:
        raise not_one_of(ENGINE, name, names)
    return name


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


class Attention(StrEnum):
    """How attention is computed."""

    EAGER = "eager"
    SDPA = "sdpa"


class FlowLevel(StrEnum):
    """How finely the data flow is drawn."""

    STAGE = "stage"
    LAYER = "layer"
    OPERATION = "operation"


def budget_option(help: str, usual: str = "") -> Any:
    """The option for how long something may take, and what is `usual`, where that is always the same."""
    return typer.Option(parser=seconds, metavar="TIME", help=help, show_default=usual or False)


def optional(help: str, *names: str) -> Any:
    """An option whose default is not shown: it has none, or `help` says what it is."""
    return typer.Option(*names, help=help, show_default=False)


ModelArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        help=N_("Model folder, config.json, built-in architecture or Hugging Face Hub name"), metavar="MODEL"
    ),
]
RunArgument: TypeAlias = Annotated[Path, typer.Argument(help=N_("Saved run (.cycle)"), metavar="RUN")]
RecipeArgument: TypeAlias = Annotated[
    Path, typer.Argument(help=N_("Recipe file written by optimize --recipe"), metavar="RECIPE")
]
AttentionOption: TypeAlias = Annotated[
    Attention | None, optional(N_("Attention implementation (default: transformers' choice)"))
]
DeviceOption: TypeAlias = Annotated[str, typer.Option(help=N_("Device: cpu, cuda or cuda:N"))]
DtypeOption: TypeAlias = Annotated[str, typer.Option(help=N_("Data type: float32, bfloat16 or float16"))]
LanguageOption: TypeAlias = Annotated[
    str | None,
    typer.Option(parser=known_language, metavar="LANG", help=LANG_HELP, show_default=False),
]
LevelOption: TypeAlias = Annotated[FlowLevel, typer.Option(help=N_("Detail of --as mermaid"))]
ModelInstead: TypeAlias = Annotated[str | None, optional(N_("Model folder or name, instead of the recipe's model"))]
NewTokensOption: TypeAlias = Annotated[
    int | None,
    optional(
        N_("Number of tokens to generate; the cycle is then the whole generation (default: 32 for generative tasks)")
    ),
]
OutFile: TypeAlias = Annotated[Path | None, optional(N_("Write to this file instead of standard output"))]
RowsOption: TypeAlias = Annotated[int | None, optional(N_("Number of rows of synthetic tokens; needs --tokens"))]
SeedOption: TypeAlias = Annotated[int, typer.Option(help=N_("Seed for random weights and synthetic tokens"))]
TaskOption: TypeAlias = Annotated[
    Task,
    typer.Option(
        help=N_(
            "Task: embed (vectors), classify (labels), fill (masked words), answer (a question from its context), "
            "translate and generate (text), chat (a dialogue, one --text per turn), auto (the model's configuration)"
        )
    ),
]
TextFile: TypeAlias = Annotated[str | None, optional(N_("UTF-8 file with one text per line; - reads standard input"))]
Texts: TypeAlias = Annotated[list[str] | None, optional(N_("Input text; repeatable"), "--text", "-t")]
ThreadsOption: TypeAlias = Annotated[int | None, optional(N_("Intra-op threads (default: the engine's choice)"))]
TokensOption: TypeAlias = Annotated[
    int | None, optional(N_("Length of a synthetic input in tokens, instead of a text"))
]
TrustRemoteCode: TypeAlias = Annotated[
    bool, typer.Option("--trust-remote-code", help=N_("Run Python code that comes with the model"))
]
WeightsOption: TypeAlias = Annotated[
    WeightsWanted, typer.Option(help=N_("Weights; auto: pretrained ones if there are any, else random ones"))
]


@dataclass(frozen=True)
class Measuring:
    """The options of a measurement, in which also the two sides of a comparison may differ."""

    text: Annotated[list[str] | None, optional(N_("Input text; repeat for a batch"), "--text", "-t")] = None
    text_file: TextFile = None
    tokens: TokensOption = None
    batch: Annotated[
        int | None, optional(N_("Batch size, filled by repeating the texts (default: the number of texts)"))
    ] = None
    threads: ThreadsOption = None
    dtype: DtypeOption = "float32"
    attention: AttentionOption = None
    engine: Annotated[str, typer.Option(parser=known_engine, metavar="ENGINE", help=N_("Inference engine"))] = (
        REFERENCE_ENGINE
    )
    device: DeviceOption = "cpu"
    weights: WeightsOption = WeightsWanted.AUTO
    task: TaskOption = Task.AUTO
    question: Annotated[list[str] | None, optional(N_("Question of --task answer; repeat for a batch"))] = None
    context: Annotated[list[str] | None, optional(N_("Context of --task answer, one per question"))] = None
    new_tokens: NewTokensOption = None
    sampling: Annotated[
        Sampling, typer.Option(help=N_("Choice of each token: the most likely one, or a random sample"))
    ] = Sampling.GREEDY
    cache: Annotated[KvCache, typer.Option(help=N_("KV cache of a generation"))] = KvCache.DYNAMIC
    seed: SeedOption = 0
    trust_remote_code: TrustRemoteCode = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the command line or of the file. Raises `UsageError`."""
        return given_texts(self.text, self.text_file)

    def options(self) -> MeasureOptions:
        """Without the texts, as `measure` takes them."""
        names = [field.name for field in fields(self) if field.name not in ("text", "text_file")]
        given: Any = {name: _plain(getattr(self, name)) for name in names}
        return given  # type: ignore[no-any-return]  # that these are options of a measurement is a test


def _plain(value: object) -> object:
    return value.value if isinstance(value, StrEnum) else value
