"""What PyTorch contributes to the code of a recipe: the model is loaded, and made by the plan in place."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.backends.code import OURS, TOKENIZER, CodeRequest, CodeSource, loaded, refuse_values
from cyclescope.core.edits import files_of
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import LOOKED_UP_TOKENS, Batching, Cache, Compiling, Quantization

_HERE = f"{OURS}.torch"
_FIRST_LAYERS = "layers:"
_COMPILING = ("off", "inductor", "inductor-freezing")
_QUANTIZATION = ("off", "int8-dynamic")


@dataclass(frozen=True, slots=True)
class TorchCode:
    """Implements `backends.code.EngineCode`."""

    edits_model: bool = True
    files: tuple[str, ...] = ()

    def refuse(self, wanted: CodeRequest) -> None:
        plan = wanted.plan
        refuse_values(
            (("compiling", plan.compiling, _COMPILING), ("quantization", plan.quantization, _QUANTIZATION)),
        )
        layers = plan.drafting.removeprefix(_FIRST_LAYERS)
        if plan.drafting != layers and not (layers.isascii() and layers.isdigit()):
            raise Unsupported(
                m("Code cannot be generated for the drafting {drafting}.", drafting=repr(plan.drafting)), "", ""
            )

    def sources(self, wanted: CodeRequest) -> list[CodeSource]:
        plan, generates = wanted.plan, wanted.generates
        drafts = plan.drafting.startswith(_FIRST_LAYERS)
        needed = (
            (bool(wanted.edits) or drafts, "editing"),
            (drafts, "drafting"),
            (plan.quantization == Quantization.INT8_DYNAMIC, "quantizing"),
            (plan.compiling != Compiling.OFF, "compiling"),
            (plan.batching == Batching.PACKED, "packing"),
            (wanted.encoder_decoder and not generates, "starting"),
            (generates, "writing"),
        )
        return [CodeSource(name, package=_HERE) for is_needed, name in needed if is_needed]

    def imports(self, wanted: CodeRequest) -> list[str]:
        return ["import torch", *(["from pathlib import Path"] if files_of(wanted.edits) else [])]

    def build(self, wanted: CodeRequest) -> str:
        plan = wanted.plan
        auto = wanted.auto or ("AutoModelForSeq2SeqLM" if wanted.encoder_decoder else "AutoModelForCausalLM")
        attention = f", attn_implementation={plan.attention!r}" if plan.attention not in ("own", "") else ""
        lines = [
            "def build(reference: str = MODEL) -> tuple[Any, Any]:",
            '    """The tokenizer and the optimised model."""',
        ]
        if plan.threads:
            lines.append(f"    torch.set_num_threads({plan.threads!r})")
        load = f"model: Any = transformers.{auto}.from_pretrained(reference, dtype=torch.float32{attention})"
        make = f"model = transformers.{auto}.from_config(config, dtype=torch.float32{attention})"
        lines += loaded(wanted, [TOKENIZER, load], [f"torch.manual_seed({plan.seed!r})", make])
        lines += [
            "    if tokenizer.pad_token is None:",
            "        tokenizer.pad_token = tokenizer.eos_token  # for a model that was trained without padding",
        ]
        if wanted.generates and not wanted.encoder_decoder:
            lines.append('    tokenizer.padding_side = "left"  # what is written goes on from the last token')
        lines.append(f"    model.eval(){'' if plan.dtype == 'float32' else f'.to(torch.{plan.dtype})'}")
        lines += _changed(wanted)
        if plan.drafting not in ("off", "prompt-lookup") and not plan.drafting.startswith(_FIRST_LAYERS):
            # In a list, so that it does not become a part of the model.
            draft = f"from_pretrained({plan.drafting!r}, dtype=torch.{plan.dtype}{attention})"
            lines.append(f"    model.drafts = [transformers.{auto}.{draft}]")
        return "\n".join([*lines, "    return tokenizer, model"])

    def run(self, wanted: CodeRequest) -> str:
        if not wanted.generates:
            more = ("more=lambda texts: start_of(model, texts)",) if wanted.encoder_decoder else ()
            options = ", ".join((*wanted.options, *more))
            return "\n".join(
                [
                    "def run(tokenizer: Any, model: Any, texts: list[str]) -> list[Any]:",
                    f'    """The {wanted.output} of each text, in order."""',
                    "    with torch.inference_mode():",
                    f"        results = read(tokenizer, model, texts, {wanted.output!r}, {options})",
                    "    return [rows.float().numpy() for rows in results]",
                ]
            )
        options = ", ".join((*wanted.options, *_generating(wanted)))
        return "\n".join(
            [
                "def run(tokenizer: Any, model: Any, texts: list[str], exactly: bool = False) -> list[Any]:",
                '    """The token ids that are written on each text, in order."""',
                "    with torch.inference_mode():",
                f"        results = write(tokenizer, model, texts, NEW_TOKENS, exactly=exactly, {options})",
                "    return [tokens.numpy() for tokens in results]",
            ]
        )


def _changed(wanted: CodeRequest) -> list[str]:
    """Lines that make the model what the plan says."""
    plan, lines = wanted.plan, []
    if files_of(wanted.edits):
        lines.append("    edit(model, EDITS, str(Path(__file__).parent))")
    elif wanted.edits:
        lines.append("    edit(model, EDITS)")
    if plan.quantization == Quantization.INT8_DYNAMIC:
        lines.append("    model = quantized(model)")
    if plan.compiling != Compiling.OFF:
        lines.append(f"    model = compiled(model, freezing={plan.compiling == Compiling.INDUCTOR_FREEZING})")
    if plan.batching == Batching.PACKED:
        lines.append("    model = Packed(model)")
    return lines


def _generating(wanted: CodeRequest) -> list[str]:
    """Further arguments of `generate`."""
    plan, options = wanted.plan, []
    if plan.cache == Cache.STATIC:
        options.append('cache_implementation="static"')
    elif plan.cache == Cache.OFF:
        options.append("use_cache=False")
    if plan.drafting == "prompt-lookup":
        options.append(f"prompt_lookup_num_tokens={LOOKED_UP_TOKENS}")
    elif plan.drafting.startswith(_FIRST_LAYERS):
        options.append(f"assistant_model=first_layers(model, {int(plan.drafting.removeprefix(_FIRST_LAYERS))})")
    elif plan.drafting != "off":
        options.append("assistant_model=model.drafts[0]")
    return options


CODE = TorchCode()
