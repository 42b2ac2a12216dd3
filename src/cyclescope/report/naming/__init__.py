"""Codes and values of an explanation as sentences, in the language of the reader."""

from __future__ import annotations

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.op import OpKind
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.workload import InputSource, ModelFacts, Weights
from cyclescope.explaining.device import DeviceLine
from cyclescope.explaining.explanation import Closure, Explanation, MeasurementWarning, WarningCode
from cyclescope.explaining.places import Place
from cyclescope.report import format as fmt
from cyclescope.report.words.strings import Advice, Strings
from cyclescope.report.words.text_device import device_text
from cyclescope.report.words.translate import say_in

_MOST_PATH, _PATH_HEAD = 60, 20
_ONE_THING = (OpKind.ATTENTION, OpKind.SOFTMAX)  # the other kinds are named by a plural


def stage_name(stage: str, s: Strings) -> str:
    """`encode 2` in the reader's language; a stage without a translation keeps its name."""
    base, _, number = stage.rpartition(" ")
    if number.isdigit() and base in s.stage_names:
        return f"{s.stage_names[base]} {number}"
    return s.stage_names.get(stage, stage)


def place(found: Place, count: int, s: Strings) -> str:
    """`encode · attention.self.query (linear) × 12`: stage, path within the layer, operation, how often."""
    where = " · ".join(part for part in (stage_name(found.stage, s), shortened(found.path)) if part)
    often = f" × {count}" if count > 1 else ""
    return f"{where} ({found.operation}){often}"


def shortened(path: str) -> str:
    """A module's path in a length that a table can bear; its end, which says what it is, stays longest."""
    return path if len(path) <= _MOST_PATH else f"{path[:_PATH_HEAD]}…{path[_PATH_HEAD + 1 - _MOST_PATH :]}"


def answer(explanation: Explanation, s: Strings) -> str:
    """The one sentence: how long, where most of it goes, which work, how much of it is Python."""
    if explanation.wall.n == 0:
        return s.answer_nothing
    wall = fmt.estimate(explanation.wall)
    if explanation.device is not None:
        # Of launches, which is what the host's stamps show there, nobody wants to know first.
        return device_text(s).answer.format(wall=wall, pace=pace(explanation.device, s))
    found = explanation.answer
    if not found.stage:
        return s.answer_wall_only.format(wall=wall)
    template = s.answer if found.layers > 1 else s.answer_without_layers
    return template.format(
        wall=wall,
        stage=stage_name(found.stage, s),
        share=fmt.share(found.stage_share),
        layers=found.layers,
        kind=s.kind_names[found.kind],
        take=s.takes if found.kind in _ONE_THING else s.take,
        kind_share=fmt.share(found.kind_share),
        python_share=fmt.share(found.python_share),
    )


def pace(told: DeviceLine, s: Strings) -> str:
    """Who decides how long the cycle takes, with what the device does meanwhile."""
    return (
        device_text(s)
        .pace[told.pace]
        .format(
            span=fmt.time(told.span_ns),
            busy=fmt.time(float(told.busy_ns.sum())),
            busy_share=fmt.share(told.busy_share),
            idle=fmt.time(told.idle_total_ns),
            idle_share=fmt.share(told.idle_share),
        )
    )


def doubt(found: MeasurementWarning, s: Strings) -> Advice:
    """A doubt with its remedy."""
    advice = s.doubt_texts[found.code]
    if found.code is WarningCode.OPEN_ACCOUNT and found.value < 0:
        return Advice(s.over_attributed.format(share=fmt.share(-found.value)), advice.remedy)
    remedy = s.drift_faster if found.code is WarningCode.DRIFT and found.value < 0 else advice.remedy
    is_count = found.code in (WarningCode.PARTIAL, WarningCode.NOT_STEADY, WarningCode.NO_INTERVAL)
    text = advice.text.format(
        share=fmt.share(found.value),
        time=fmt.time(found.value),
        cycles=fmt.count(int(found.value)) if is_count else "",
    )
    return Advice(text, remedy)


def closure(account: Closure, s: Strings) -> str:
    """Whether the account closes, and by how much."""
    wall = account.wall.value_ns
    template = s.closes if account.closes else s.does_not_close
    return template.format(
        ratio=fmt.ratio(account.ratio),
        rest=fmt.time(account.rest_ns),
        share=fmt.share(account.rest_ns / wall if wall else None),
    )


def instrumentation(account: Closure, s: Strings) -> str:
    """What looking cost."""
    seen = s.instrumentation if account.instrumentation_ratio.value >= 1 else s.instrumentation_unseen
    return seen.format(ratio=fmt.ratio(account.instrumentation_ratio), cost=fmt.time(account.instrumentation_ns))


def model_fact(model: ModelFacts, s: Strings) -> tuple[str, str]:
    """Which model ran, as label and value."""
    value = s.model_value.format(
        reference=model.reference,
        class_name=model.class_name,
        parameters=fmt.quantity(model.parameters),
        weights=s.weights.get(model.weights, model.weights),
    )
    return s.model, value


def plan_fact(plan: Plan, s: Strings) -> tuple[str, str]:
    """How it ran, as label and value."""
    value = s.plan_value.format(
        engine=plan.engine, device=plan.device, threads=plan.threads, dtype=plan.dtype, attention=plan.attention
    )
    return s.plan, value


def machine_fact(machine: Machine, s: Strings) -> tuple[str, str]:
    """What it ran on, as label and value."""
    value = s.machine_value.format(
        processor=machine.processor, cores=machine.cores, memory=fmt.data(machine.memory_bytes)
    )
    return s.machine, value + (s.virtual if machine.virtual else "")


def facts(cycle: Cycle, s: Strings) -> tuple[tuple[str, str], ...]:
    """What ran: model, input, plan, machine, as labels and values."""
    work, model, machine, plan = cycle.workload, cycle.workload.model, cycle.machine, cycle.plan
    template = s.text_input if work.input_source is InputSource.TEXT else s.synthetic
    given = template.format(batch=work.batch, tokens=work.tokens_in, characters=fmt.count(work.characters))
    padded = work.batch * work.tokens_in
    if work.real_tokens < padded:
        given += s.padding.format(share=fmt.share(1 - work.real_tokens / padded))
    rows = [
        model_fact(model, s),
        (s.work, given),
        plan_fact(plan, s),
        machine_fact(machine, s),
    ]
    if work.outcome:
        rows.append((s.outcome, work.outcome))
    return tuple(rows)


def remarks(cycle: Cycle, s: Strings) -> tuple[str, ...]:
    """What whoever reads the figures must know about how they came about."""
    work = cycle.workload
    found = []
    if work.model.weights is Weights.RANDOM:
        found.append(s.random_weights)
    if work.input_source is InputSource.SYNTHETIC:
        found.append(s.synthetic_input)
    elif work.model.stand_in_tokenizer:
        found.append(s.stand_in_tokenizer.format(tokenizer=work.model.tokenizer))
    if work.cut_tokens:
        found.append(s.cut_tokens.format(count=fmt.count(work.cut_tokens)))
    return (*found, *(say_in(s.language)(note) for note in (*cycle.notes, *cycle.graph.notes)))


def set_up(cycle: Cycle, s: Strings) -> tuple[tuple[str, str], ...]:
    """What was paid once, as labels and values; what did not happen in this process is left out."""
    paid = cycle.samples.set_up
    rows = [
        (label, fmt.time(ns))
        for label, ns in (
            (s.import_time, paid.import_ns),
            (s.load_time, paid.load_ns),
            (s.trace_time, paid.trace_ns),
            (s.first_cycle, paid.first_cycle_ns),
        )
        if ns is not None
    ]
    if paid.warmup_cycles:
        value = s.warm_up_value.format(time=fmt.time(paid.warmup_ns), cycles=fmt.count(paid.warmup_cycles))
        rows.append((s.warm_up, value))
    return tuple(rows)
