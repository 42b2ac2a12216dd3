"""The code of an engine that runs a model from a file: the tokenizer, the file beside the code, and arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cyclescope.backends.code import OURS, TOKENIZER, CodeRequest, CodeSource, loaded
from cyclescope.core.edits import calibrated
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import LOOKED_UP_TOKENS, REFERENCE_ENGINE

_HERE = f"{OURS}.artifacts"
PADDED = (
    "    if tokenizer.pad_token is None:",
    "        tokenizer.pad_token = tokenizer.eos_token  # for a model that was trained without padding",
)


@dataclass(frozen=True, slots=True)
class ModelCode:
    """The expression that makes the model of an engine, the lines before it, and the files that it needs."""

    model: str
    sources: tuple[CodeSource, ...]
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArtifactCode:
    """Implements `backends.code.EngineCode`. `model` is given what is wanted and the expression for the place of the file;
    `files` may lie beside the code, of which `opened` is the one that is opened: those that are kept end like it.
    `steps_only`: only decoders generate, and they are called step by step.
    """

    model: Callable[[CodeRequest, str], ModelCode]
    files: tuple[str, ...]
    opened: str = ""
    steps_only: bool = True
    edits_model: bool = False

    def refuse(self, wanted: CodeRequest) -> None:
        if self.steps_only and wanted.encoder_decoder:
            raise Unsupported(
                m("Code cannot be generated for an encoder-decoder on {engine}.", engine=wanted.plan.engine),
                "",
                m("Code can be generated for {known}.", known=REFERENCE_ENGINE),
            )

    def sources(self, wanted: CodeRequest) -> list[CodeSource]:
        found = list(self._model(wanted).sources)
        if wanted.generates:
            found.append(CodeSource("texts", package=_HERE))
        return found

    def imports(self, wanted: CodeRequest) -> list[str]:
        return ["from pathlib import Path"]

    def build(self, wanted: CodeRequest) -> str:
        model = self._model(wanted)
        loading = [TOKENIZER, "config: Any = transformers.AutoConfig.from_pretrained(reference)"]
        return "\n".join(
            [
                "def build(reference: str = MODEL) -> tuple[Any, Any]:",
                '    """The tokenizer and the optimised model."""',
                *loaded(wanted, loading, []),
                *model.before,
                f"    return tokenizer, {model.model}",
            ]
        )

    def run(self, wanted: CodeRequest) -> str:
        options = ", ".join(wanted.options)
        if wanted.generates:
            return "\n".join(
                [
                    "def run(tokenizer: Any, model: Any, texts: list[str], exactly: bool = False) -> list[Any]:",
                    '    """The token ids that are written on each text, in order."""',
                    f"    return write(tokenizer, model, texts, NEW_TOKENS, exactly=exactly, {options})",
                ]
            )
        return "\n".join(
            [
                "def run(tokenizer: Any, model: Any, texts: list[str]) -> list[Any]:",
                f'    """The {wanted.output} of each text, in order."""',
                f"    return read(tokenizer, model, texts, {wanted.output!r}, kind='np', {options})",
            ]
        )

    @property
    def _suffix(self) -> str:
        return Path(self.opened).suffix

    def _model(self, wanted: CodeRequest) -> ModelCode:
        kept = [edit.path for edit in calibrated(wanted.edits) if self.opened and edit.path.endswith(self._suffix)]
        file = kept[0] if kept else self.opened
        place = f"str(Path(__file__).with_name({file!r}))" if file else "str(Path(__file__).parent)"
        return self.model(wanted, place)


def stepped(wanted: CodeRequest, stepper: str, sources: tuple[CodeSource, ...]) -> ModelCode:
    """What generates with the engine that `stepper` calls step by step."""
    looked_up = LOOKED_UP_TOKENS if wanted.plan.drafting == "prompt-lookup" else 0
    return ModelCode(
        f"Decoder(stepper, config, generation_of(reference, config), {looked_up})",
        (*sources, CodeSource("generating", package=_HERE), CodeSource("decoding", package=_HERE)),
        before=(
            *PADDED,
            '    tokenizer.padding_side = "left"  # what is written goes on from the last token',
            f"    stepper = {stepper}",
        ),
    )
