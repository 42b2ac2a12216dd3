"""A prediction in words: that it is one, by which timing model, how sure it is, and what its figures come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from cyclescope.core.ceilings import Ceilings, Origin
from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.message import Message, Text, in_context, listed, m
from cyclescope.core.prediction import COVERAGE, Prediction
from cyclescope.core.statistics import Estimate
from cyclescope.report import format as fmt

PREDICTED = m("This cycle was predicted and not measured.")
TIMING_MODELS: Mapping[str, Message] = MappingProxyType(
    {
        "analytic": in_context("timing model", "analytic"),
        "learned": in_context("timing model", "learned"),
        "graph-network": in_context("timing model", "graph network"),
        "hybrid": in_context("timing model", "hybrid"),
    }
)


def is_predicted(cycle: Cycle) -> bool:
    """Whether nothing of `cycle` was timed."""
    return cycle.source is Source.PREDICTED


# What stands behind a number of a predicted cycle, where that of a measured one comes from runs.
_TERMS = {
    "stage": "predicted-part",
    "share": "predicted-part",
    "rate": "predicted-part",
    "interval": "predicted",
    "exemplar": "",
}


def term(name: str, predicted: bool) -> str:
    """The definition `name`, or for a predicted cycle the one in its place ('': there is none)."""
    return _TERMS.get(name, name) if predicted else name


def interval_name(predicted: bool) -> Text:
    """What a column of intervals holds."""
    return m("{percent} % interval", percent=round(100 * COVERAGE)) if predicted else m("95 % interval")


def timing_model(name: str) -> Text:
    """The name of a timing model; one that this version does not know, as it calls itself."""
    return TIMING_MODELS.get(name, name)


def basis(made: Prediction) -> Text:
    """One sentence: which model says so, and how sure it is."""
    name = timing_model(made.timing_model)
    if made.mean_error is None:
        return m(
            "The {model} timing model predicts it; its error on such cycles is unknown, so that no interval is stated.",
            model=name,
        )
    return m(
        "The {model} timing model predicts it, with a mean error of {error} on {n} unseen cycles ({on}).",
        model=name,
        error=fmt.share(made.mean_error),
        n=fmt.count(made.unseen),
        on=made.errors_on,
    )


def prediction_facts(cycle: Cycle, wall: Estimate) -> Iterator[tuple[Text, Text]]:
    """What a reader must know of a prediction, as labels and values."""
    made = cycle.samples.prediction
    if fmt.has_interval(wall):
        yield (
            m("predicted time"),
            m(
                "{time}; {share} of such cycles are expected within {interval}",
                time=fmt.time(wall.value_ns),
                share=fmt.share(COVERAGE),
                interval=fmt.time_range(wall.low_ns, wall.high_ns),
            ),
        )
    else:
        yield m("predicted time"), m("{time}; no interval", time=fmt.time(wall.value_ns))
    if made is not None:
        yield m("timing model"), model_fact(made)
        if made.alternatives:
            yield m("other timing models"), _alternatives(made)
        if made.outside:
            yield m("outside of what was seen"), outside(made.outside, made.widening if made.unseen else 1.0)
    if cycle.machine.ceilings is not None:
        yield m("figures of the machine"), figures_from(cycle.machine.ceilings)


def model_fact(made: Prediction) -> Text:
    """The timing model, and how far it is off."""
    name = timing_model(made.timing_model)
    if made.mean_error is None:
        return m("{model}; error on unseen cycles unknown", model=name)
    error = m(
        "{model}; mean error {error} on {n} unseen cycles ({on}; {source})",
        model=name,
        error=fmt.share(made.mean_error),
        n=fmt.count(made.unseen),
        on=made.errors_on,
        source=made.errors_source,
    )
    if made.repeat_error is None:
        return error
    return m("{error}; two measurements of one differ by {repeat}", error=error, repeat=fmt.share(made.repeat_error))


def _alternatives(made: Prediction) -> Text:
    return listed(
        m("{model} {time}", model=timing_model(other.timing_model), time=fmt.time(other.wall_ns))
        if other.mean_error is None
        else m(
            "{model} {time} (mean error {error})",
            model=timing_model(other.timing_model),
            time=fmt.time(other.wall_ns),
            error=fmt.share(other.mean_error),
        )
        for other in made.alternatives
    )


def outside(what: Sequence[Text], widening: float) -> Text:
    """What lies outside of what a timing model has seen, and how much wider the interval is for it (1: there is none)."""
    if widening <= 1:
        return listed(what)
    return m("{what}; the interval is {factor} as wide for it", what=listed(what), factor=fmt.times(widening))


def figures_from(ceilings: Ceilings) -> Text:
    """Where the figures of a machine come from."""
    day = ceilings.taken_at[:10]
    if ceilings.origin is Origin.MEASURED:
        return m(
            "measured by calibrating {engine} on {machine}, {day}",
            engine=ceilings.engine,
            machine=ceilings.machine,
            day=day,
        )
    figures = [product.flops_per_s.source for product in ceilings.products]
    figures += [level.bytes_per_s.source for level in ceilings.bandwidths]
    return m(
        "datasheet of {machine}, read {day}: {sources}",
        machine=ceilings.machine,
        day=day,
        sources=listed(dict.fromkeys(figures)),
    )


def memory_missing(cycle: Cycle) -> tuple[Text, Text] | None:
    """That a cycle does not fit into the memory of its machine, and what follows; None where it does or is not known to."""
    made = cycle.samples.prediction
    if made is None or not made.missing_bytes:
        return None
    return (
        m(
            "{machine} lacks {missing} of memory for this cycle: it has {memory}.",
            machine=cycle.machine.processor,
            missing=fmt.data(made.missing_bytes),
            memory=fmt.data(cycle.machine.memory_bytes),
        ),
        m("The time is what it would take if it fit. Use a smaller batch, a smaller --dtype or a larger machine."),
    )


def held(error: float, inside: bool | None) -> Text:
    """A prediction against its measurement: how far it was off, and whether the truth lay in the interval."""
    off = fmt.share(abs(error))
    too = m("{share} too long", share=off) if error >= 0 else m("{share} too short", share=off)
    if inside is None:
        return m("The prediction is {too}; it stated no interval.", too=too)
    if inside:
        return m("The prediction is {too}, and the measured time lies within its interval.", too=too)
    return m("The prediction is {too}, and the measured time lies outside of its interval.", too=too)
