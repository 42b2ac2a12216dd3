"""What ran, how and on what: facts that many pages begin with, each as label and value."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.machine import Machine
from cyclescope.core.message import Message, Text, m, plural
from cyclescope.core.plan import Plan
from cyclescope.core.workload import ModelFacts, Weights
from cyclescope.report import format as fmt

WEIGHTS: Mapping[Weights, Message] = MappingProxyType(
    {
        Weights.PRETRAINED: m("pretrained weights"),
        Weights.RANDOM: m("random weights"),
        Weights.GIVEN: m("weights as given"),
    }
)
PARTIAL = m("The measurement was interrupted: this is what was measured until then.")
RANDOM_WEIGHTS = m("Weights are random: timing does not depend on their values, outputs do.")


def model(ran: ModelFacts, *, weights: bool = True) -> tuple[Text, Text]:
    """Which model ran; without its `weights` where none were needed, and its name alone where no more is known."""
    if not ran.parameters:
        return m("model"), ran.reference
    if not weights:
        return m("model"), m(
            "{reference} ({class_name}, {parameters} parameters)",
            reference=ran.reference,
            class_name=ran.class_name,
            parameters=fmt.quantity(ran.parameters),
        )
    return m("model"), m(
        "{reference} ({class_name}, {parameters} parameters, {weights})",
        reference=ran.reference,
        class_name=ran.class_name,
        parameters=fmt.quantity(ran.parameters),
        weights=WEIGHTS[ran.weights],
    )


def plan(made: Plan) -> tuple[Text, Text]:
    """How it ran."""
    if not made.threads:  # the threads of a host that is not known
        return m("plan"), m(
            "{engine} on {device}, {dtype}, {attention} attention",
            engine=made.engine,
            device=made.device,
            dtype=made.dtype,
            attention=made.attention,
        )
    return m("plan"), plural(
        "{engine} on {device}, {dtype}, {attention} attention, {n} thread",
        "{engine} on {device}, {dtype}, {attention} attention, {n} threads",
        made.threads,
        engine=made.engine,
        device=made.device,
        dtype=made.dtype,
        attention=made.attention,
    )


def machine(used: Machine) -> tuple[Text, Text]:
    """What it ran on, as far as it is known."""
    if not used.cores:
        memory = fmt.data(used.memory_bytes)
        known = m("{processor}, {memory}", processor=used.processor, memory=memory)
        return m("machine"), known if used.memory_bytes else used.processor
    if not used.memory_bytes:
        cores = plural("{processor}, {n} core", "{processor}, {n} cores", used.cores, processor=used.processor)
        return m("machine"), cores
    hardware = plural(
        "{processor}, {n} core, {memory}",
        "{processor}, {n} cores, {memory}",
        used.cores,
        processor=used.processor,
        memory=fmt.data(used.memory_bytes),
    )
    if used.quota_cores is not None:
        allowed = fmt.significant(used.quota_cores)
        hardware = m("{hardware}, limited to {quota} cores of processor time", hardware=hardware, quota=allowed)
    return m("machine"), m("{hardware}, virtual", hardware=hardware) if used.virtual else hardware


def stand_in_tokenizer(name: str) -> Message:
    """That the tokenizer is one of ours."""
    return m(
        "The tokenizer is a stand-in ({tokenizer}): the time to tokenize is not that of the model's own tokenizer.",
        tokenizer=name,
    )
