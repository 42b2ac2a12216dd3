"""What an engine contributes to the code of a recipe: whole files that stand on their own, and how its model is built and run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import Plan

OURS = "cyclescope.backends"
TOKENIZER = "tokenizer: Any = transformers.AutoTokenizer.from_pretrained(reference)"


@dataclass(frozen=True, slots=True)
class CodeSource:
    """The file `name` of the folder `standalone` in `package`: those of its definitions that are named, all where none is."""

    name: str
    wanted: tuple[str, ...] = ()
    package: str = OURS


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What code is wanted for. `auto` is the class of transformers that has the head and `output` what is taken of its
    result, both empty where text is generated. `edits` have been made in the model, or name the files that
    lie beside the code. `tokenizer` is the expression for one where `random` weights
    come without, and `options` are further arguments of the call that runs texts.
    """

    plan: Plan
    auto: str
    output: str
    generates: bool
    encoder_decoder: bool
    edits: tuple[Edit, ...]
    random: bool
    tokenizer: str
    options: tuple[str, ...]


class EngineCode(Protocol):
    """The code of an engine."""

    @property
    def edits_model(self) -> bool:
        """Whether the code makes the edits in the model; else the file of the engine has been made of the edited one."""
        ...

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that lie beside the code; empty where it loads the model itself."""
        ...

    def refuse(self, wanted: CodeRequest) -> None:
        """Raise `Unsupported` for what there is no code for."""
        ...

    def sources(self, wanted: CodeRequest) -> list[CodeSource]:
        """The files that the code is made of, beside those of every engine."""
        ...

    def imports(self, wanted: CodeRequest) -> list[str]:
        """What the lines of `build` and `run` import."""
        ...

    def build(self, wanted: CodeRequest) -> str:
        """The function `build(reference)`, which gives the tokenizer and the model."""
        ...

    def run(self, wanted: CodeRequest) -> str:
        """The function `run(tokenizer, model, texts)`, or with `exactly` where text is generated."""
        ...


def refuse_values(values: tuple[tuple[str, str, tuple[str, ...]], ...]) -> None:
    """Raise `Unsupported` for the first of some (name, value, known values) that is not known."""
    for name, value, known in values:
        if value not in known:
            raise Unsupported(
                m("Code cannot be generated for the {name} {value}.", name=name, value=repr(str(value))),
                "",
                m("Code can be generated for {known}.", known=", ".join(known)),
            )


def loaded(wanted: CodeRequest, loading: list[str], made: list[str]) -> list[str]:
    """Lines that load by a reference with `loading`, or where weights are random and there is no reference build what
    `made` says with a tokenizer of the code's own.
    """
    if not wanted.random:
        return [f"    {line}" for line in loading]
    return [
        "    if reference:",
        *[f"        {line}" for line in loading],
        "    else:",
        f"        tokenizer = {wanted.tokenizer}",
        "        fields = dict(CONFIG)",
        '        config = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)',
        *[f"        {line}" for line in made],
    ]
