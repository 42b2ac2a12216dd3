"""The page of `cyclescope calibrate --learn --ray`: what was learned of each kind of machine in a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.calibrating.learning.cluster.kinds import MachineShare
from cyclescope.calibrating.learning.cluster.learn import ClusterLearning, LearnedKind
from cyclescope.core.message import Text, listed, m, plural, sentences
from cyclescope.machines.fingerprint import Trait, traits_of
from cyclescope.predicting.fitted import errors_of
from cyclescope.report import format as fmt
from cyclescope.report.page import Align, Block, Column, KeyValues, Note, Page, Paragraph, Section, Severity, Table
from cyclescope.report.sections.learning import learning_notes, learning_section

_AGAIN = m("Run the same command again when machines of this kind are back: it goes on where it stopped.")


def cluster_learning_page(found: ClusterLearning) -> Page:
    """How many kinds were learned and how well, then each kind with its machines."""
    blocks: list[Block] = [Paragraph(_answer(found), lead=True)]
    blocks += [Note(Severity.WARNING, text) for text in found.apart]
    blocks += [
        Note(Severity.WARNING, m("{machine} has not measured.", machine=name), why) for name, why in found.unable
    ]
    sections = []
    for number, kind in enumerate(found.kinds, 1):
        machines = Section(f"kind-{number}", _name(kind), tuple(_kind(kind)))
        sections.append(machines)
        if kind.models is not None:
            learned = learning_section(kind.models, kind.path)
            sections.append(Section(f"learning-{number}", learned.title, learned.blocks))
    return Page(m("Timing models of a cluster"), tuple(blocks), tuple(sections), "cluster-learning")


def _answer(found: ClusterLearning) -> Text:
    learned = [kind for kind in found.kinds if kind.models is not None]
    machines = sum(1 for kind in found.kinds for machine in kind.machines if machine.workloads)
    said = plural(
        "{n} kind of machine was learned, from measurements on {machines} machines.",
        "{n} kinds of machines were learned, from measurements on {machines} machines.",
        len(learned),
        n=fmt.count(len(learned)),
        machines=fmt.count(machines),
    )
    names = [kind.models.machines[0] for kind in learned if kind.models is not None and kind.models.machines]
    if not names:
        return said
    return sentences(said, m("Predict with --on {names}.", names=listed(names)))


def _name(kind: LearnedKind) -> Text:
    traits = traits_of(kind.fingerprint)
    cores = int(traits.get(Trait.CORES, "0") or 0)
    return plural(
        "{processor}, {n} core, {memory}",
        "{processor}, {n} cores, {memory}",
        cores,
        processor=traits.get(Trait.PROCESSOR, ""),
        n=fmt.count(cores),
        memory=traits.get(Trait.MEMORY, ""),
    )


def _kind(kind: LearnedKind) -> Iterator[Block]:
    if kind.models is None:
        yield Note(Severity.WARNING, sentences(m("Nothing was fitted."), kind.why), _AGAIN)
    else:
        whole = errors_of(kind.models.cases)
        yield Paragraph(
            m(
                "Whole cycles are predicted with a mean error of {error}; {measured} of {planned} workloads were measured.",
                error=fmt.share(min(whole.hybrid, whole.learned)),
                measured=fmt.count(kind.measured),
                planned=fmt.count(kind.planned),
            )
        )
        yield from learning_notes(kind.models, False, ())
    if kind.missing:
        text = plural(
            "{n} workload is missing, because no machine of this kind is left.",
            "{n} workloads are missing, because no machine of this kind is left.",
            len(kind.missing),
            n=fmt.count(len(kind.missing)),
        )
        yield Note(Severity.WARNING, text, _AGAIN)
    for name, why in kind.left_out:
        yield Note(Severity.WARNING, m("The workload {name} failed on each attempt.", name=name), why)
    rows = tuple((machine.name, fmt.count(machine.workloads), _state(machine)) for machine in kind.machines)
    yield Table((Column(m("machine")), Column(m("workloads"), Align.RIGHT), Column(m("state"))), rows)
    traits = traits_of(kind.fingerprint)
    facts: list[tuple[Text, Text]] = [
        (m("engine"), f"{traits.get(Trait.ENGINE, '')} {traits.get(Trait.VERSION, '')}".strip()),
        (m("instruction set"), traits.get(Trait.INSTRUCTION_SET, "") or m("none")),
    ]
    yield KeyValues(tuple(facts))


def _state(machine: MachineShare) -> Text:
    return machine.lost or (m("measured earlier") if machine.earlier else m("done"))
