"""The public schema `cyclescope/cycle-report/1`, as types.

Names and meanings in it never change; a field may be added. Each field's unit and formula is its description, and
`json_schema` writes them out. Times are nanoseconds, work is FLOPs, sizes are bytes, shares and ratios are plain numbers.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cyclescope.report.names import storable

Time = Annotated[float, Field(description="ns")]
LowNs = Annotated[
    float | None,
    Field(
        description="ns; lower end of the 95 % interval of the median (order statistics); null below six cycles: none"
    ),
]
HighNs = Annotated[
    float | None,
    Field(
        description="ns; upper end of the 95 % interval of the median (order statistics); null below six cycles: none"
    ),
]
Share = Annotated[float, Field(description="time_ns ÷ sum of the stages' time_ns, 0 … 1")]
FlopCount = Annotated[int, Field(description="FLOPs of matrix products and convolutions, two per multiply-add")]
ElementwiseFlopCount = Annotated[int, Field(description="FLOPs of everything that is no matrix product or convolution")]
ReadBytes = Annotated[int, Field(description="bytes that must be read if nothing is cached, each input once")]
WrittenBytes = Annotated[int, Field(description="bytes that must be written if nothing is cached, each output once")]


# Text from models and users; what no JSON can hold is replaced.
Text = Annotated[str, BeforeValidator(storable)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False, from_attributes=True)


class Wall(_Part):
    """Wall time of whole cycles, text in to text out, without any instrumentation. null where none was measured."""

    median_ns: float | None = Field(description="ns; median over n cycles")
    low_ns: LowNs
    high_ns: HighNs
    n: int = Field(description="number of cycles measured")
    minimum_ns: float | None = Field(description="ns; shortest cycle")
    cpu_median_ns: float | None = Field(description="ns; median of the processor time of all threads of the process")
    cpu_low_ns: float | None = Field(description="ns; lower end of its 95 % interval; null below six cycles")
    cpu_high_ns: float | None = Field(description="ns; upper end of its 95 % interval; null below six cycles")


class Stage(_Part):
    """One stage of the cycle, in order of time. time_ns = operations_ns + python_ns."""

    name: Text
    time_ns: Time
    low_ns: LowNs
    high_ns: HighNs
    share: Share
    operations_ns: float = Field(description="ns inside operations")
    python_ns: float = Field(description="ns of Python between operations")
    operations: int = Field(description="number of operations")
    flops: FlopCount
    elementwise_flops: ElementwiseFlopCount
    read_bytes: ReadBytes
    written_bytes: WrittenBytes


class Layer(_Part):
    """One layer, Python time inside it included."""

    stage: Text
    index: int = Field(description="position in its stage, from 0")
    module: Text = Field(description="path of the layer's module")
    class_name: Text = Field(description="class of the layer's module")
    time_ns: Time
    low_ns: LowNs
    high_ns: HighNs
    share: Share
    python_ns: float = Field(description="ns of Python between operations")
    flops: FlopCount
    elementwise_flops: ElementwiseFlopCount
    read_bytes: ReadBytes
    written_bytes: WrittenBytes


class Place(_Part):
    """Where an operation stands."""

    stage: Text
    layer: int | None = Field(description="layer within the stage, from 0; null outside of layers")
    module: Text = Field(description="module path; empty for the model itself")


class Operation(_Part):
    """One operation at one site, the costliest first."""

    index: int = Field(description="row of the operation in the graph (schema cyclescope/graph/1)")
    kind: Text = Field(description="sort of work: matmul, attention, softmax, norm, …")
    name: Text
    site: Place
    time_ns: Time
    low_ns: LowNs
    high_ns: HighNs
    share: Share
    flops: FlopCount
    elementwise_flops: ElementwiseFlopCount
    read_bytes: ReadBytes
    written_bytes: WrittenBytes
    bound: Text | None = Field(
        default=None,
        description="what the operation could not be faster than: compute, memory, overhead, or nothing (text, which has "
        "no known ceiling); null without ceilings",
    )
    level: Text | None = Field(
        default=None,
        description="level that most of its traffic comes from: L1, L2, L3 or memory; empty for none; null without ceilings",
    )
    floor_ns: float | None = Field(
        default=None, description="ns; the least that it could take (nothing: what it took); null without ceilings"
    )
    gap_ns: float | None = Field(default=None, description="ns; max(0, time_ns − floor_ns); null without ceilings")


class Group(_Part):
    """Operations added up, the costliest group first."""

    name: Text
    kind: Text = Field(description="kind of the first of them")
    count: int = Field(description="number of operations")
    time_ns: Time
    low_ns: LowNs
    high_ns: HighNs
    share: Share
    flops: FlopCount
    elementwise_flops: ElementwiseFlopCount
    read_bytes: ReadBytes
    written_bytes: WrittenBytes


class AccountLine(_Part):
    """One line of the account; the lines add up to the unprofiled wall time."""

    name: Text = Field(description="operations, python, text or unexplained")
    stage: Text = Field(description="stage it is booked to; empty for unexplained")
    time_ns: Time
    share_of_wall: float = Field(description="time_ns ÷ wall.median_ns; negative where more was attributed than passed")


class Account(_Part):
    """Does the account close? wall.median_ns = attributed_ns + rest_ns."""

    attributed_ns: float = Field(description="ns; sum of the stages' time_ns, instrumentation subtracted")
    rest_ns: float = Field(description="ns; wall.median_ns − attributed_ns, negative where too much was attributed")
    ratio: float | None = Field(description="attributed_ns ÷ wall.median_ns; null without both passes")
    ratio_low: float | None = Field(description="lower end of its 95 % interval (bootstrap); null below six cycles")
    ratio_high: float | None = Field(description="upper end of its 95 % interval (bootstrap); null below six cycles")
    closes: bool = Field(description="whether |rest_ns| ≤ 3 % of the wall time")
    instrumentation_ratio: float | None = Field(description="median stamped wall ÷ median unprofiled wall")
    instrumentation_ratio_low: float | None = Field(
        description="lower end of its 95 % interval (bootstrap); null below six cycles"
    )
    instrumentation_ratio_high: float | None = Field(
        description="upper end of its 95 % interval (bootstrap); null below six cycles"
    )
    instrumentation_ns: float = Field(description="ns; known cost of the stamps, subtracted from the stamped cycles")
    rows: list[AccountLine]


class Model(_Part):
    """Which model ran."""

    reference: Text = Field(description="as the user named it")
    class_name: Text
    model_type: Text
    parameters: int = Field(description="number of parameters")
    parameter_bytes: int = Field(description="bytes of the parameters")
    weights: Literal["pretrained", "random", "given"]
    tokenizer: Text
    max_positions: int | None = Field(description="longest input in tokens; null where the model sets no bound")
    source: Text


class Work(_Part):
    """The model and what was asked of it in one cycle."""

    model: Model
    task: Text
    input_source: Literal["text", "synthetic"]
    batch: int = Field(description="texts in one cycle")
    tokens_in: int = Field(description="tokens of each text, padding included")
    real_tokens: int = Field(description="tokens of all texts, padding left out")
    characters: int = Field(description="Unicode characters of all texts")
    text_bytes: int = Field(description="bytes of all texts in UTF-8")
    tokens_out: int = Field(description="tokens generated")
    cut_tokens: int = Field(description="tokens that did not fit the model and were cut")
    texts: list[Text] = Field(description="empty unless the user asked to keep them")
    outcome: Text = Field(description="what came out, in words")


class How(_Part):
    """How the work was run."""

    engine: Text
    device: Text
    threads: int = Field(description="threads inside one operation; 0: the engine's own choice")
    dtype: Text
    attention: Text
    seed: int


class Package(_Part):
    """A package of the engine."""

    name: Text
    version: Text


class Host(_Part):
    """What it ran on."""

    processor: Text
    cores: int = Field(description="cores that this process may use")
    memory_bytes: int = Field(description="bytes of main memory")
    system: Text
    python: Text
    device: Text
    instruction_set: Text
    packages: list[Package]
    virtual: bool


class PaidOnce(_Part):
    """What was paid once, before the steady state; null where it did not happen in this process. Not part of the cycle."""

    import_ns: int | None = Field(description="ns; importing the framework")
    load_ns: int | None = Field(description="ns; building the model and reading its weights")
    trace_ns: int | None = Field(description="ns; tracing the graph")
    first_cycle_ns: int | None = Field(description="ns; the very first cycle")
    warmup_ns: int = Field(description="ns; all warm-up cycles together")
    warmup_cycles: int = Field(description="number of warm-up cycles")
    steady: bool = Field(description="whether a steady state was reached")


class Caution(_Part):
    """A reason to trust a figure less."""

    code: Text = Field(description="stable, for machines")
    value: float = Field(description="the number behind it; its meaning belongs to the code")
    text: Text
    remedy: Text


class FindingEvidence(_Part):
    """One number that carries a finding."""

    name: Text = Field(description="stable, for machines")
    quantity: Literal["time", "share", "count", "bytes", "flop-rate", "bandwidth", "ratio", "number"] = Field(
        description="what it is measured in: ns, 0 … 1, a count, bytes, FLOPs a second, bytes a second, a factor, a plain number"
    )
    value: float = Field(description="the number, in what its quantity says")
    operation: int | None = Field(description="index of the operation that it stands at; null where at none")


class FindingPlace(_Part):
    """Where in the cycle to look."""

    stage: Text = Field(description="empty where it is not one place")
    layer: int | None = Field(description="number of the layer within its stage; null where in none")
    operation: int | None = Field(description="index of the most telling operation")


class FindingReport(_Part):
    """What stands in the way of a faster cycle, with its evidence; docs/findings.md tells how each is decided."""

    code: Text = Field(description="stable, for machines")
    share: float = Field(description="part of the cycle that the claim is about, 0 … 1")
    gain_at_most: float | None = Field(
        description="part of the cycle that the remedy could bring at most, 0 … 1; null where no bound tells"
    )
    subject: Text = Field(description="a name from the model that the claim is about; empty where there is none")
    place: FindingPlace
    evidence: list[FindingEvidence]
    claim: Text = Field(description="in English")
    evidence_text: Text = Field(description="the numbers that the claim does not say, in English")
    remedy: Text = Field(description="in English")


class MetricValue(_Part):
    """One metric of a generation, over unprofiled cycles. null where it is undefined: absent, not zero."""

    name: Text = Field(description="stable; `cyclescope define NAME` explains it")
    formula: Text
    begin: Text = Field(description="point of the clock at which it begins")
    end: Text = Field(description="point of the clock at which it ends")
    population: Text = Field(description="what one sample is: runs, gaps (between tokens, all runs) or steps")
    summary: Text = Field(description="median, or slope over the position (Theil–Sen)")
    unit: Text = Field(description="unit of value, low, high, mean and percentiles")
    n: int = Field(description="number of samples")
    value: float | None = Field(description="the summary of the samples")
    low: float | None = Field(description="lower end of its 95 % interval; null where runs < 6")
    high: float | None = Field(description="upper end of its 95 % interval; null where runs < 6")
    runs: int = Field(description="independent runs (for a slope: points) behind the interval")
    mean: float | None = Field(description="mean of the samples; null for a slope")
    percentiles: dict[str, float] = Field(description="p50, p90, p99, each only where n supports it")


class DialectValue(_Part):
    """What another tool would have said of the same generations, by its own definition."""

    tool: Text
    name: Text = Field(description="what the tool calls it")
    metric: Text = Field(description="our metric of that name or meaning")
    formula: Text
    unit: Text = Field(description="unit of mean and median")
    label: Text = Field(description="unit as the tool prints it")
    n: int = Field(description="number of samples")
    mean: float | None = Field(description="mean of the samples, or the tool's one figure over all requests")
    median: float | None = Field(description="median of the samples; null where the tool has one figure")
    remarks: list[Text] = Field(description="stable codes of what sets the definition apart")
    source: Text = Field(description="URL of the code that it was read in")


class GenerationPhase(_Part):
    """One phase of a generation; the phases add up to closure.attributed_ns. time_ns = operations_ns + python_ns."""

    name: Text = Field(description="tokenize, prepare, encode, prefill, decode or read out")
    time_ns: Time
    low_ns: LowNs
    high_ns: HighNs
    share: Share
    operations_ns: float = Field(description="ns inside operations")
    python_ns: float = Field(description="ns of Python between operations")


class GenerationStep(_Part):
    """One forward pass and the choice of a token after it; step 0 is the prefill. time_ns = operations_ns + python_ns."""

    step: int = Field(description="number of the step, from 0")
    position: int = Field(
        description="tokens that the decoder had seen before the one that this step reads; prefill: 0"
    )
    time_ns: Time
    low_ns: LowNs
    high_ns: HighNs
    operations_ns: float = Field(description="ns inside operations")
    python_ns: float = Field(description="ns of Python between operations")
    sample_ns: float = Field(description="ns after the forward pass, of time_ns: choosing the token")
    gap_ns: float | None = Field(
        description="ns from the token before to this step's, unprofiled; null for the prefill"
    )
    gap_low_ns: float | None = Field(description="ns; lower end of its 95 % interval; null below six cycles")
    gap_high_ns: float | None = Field(description="ns; upper end of its 95 % interval; null below six cycles")
    cache_bytes: int = Field(description="bytes in layers that this step reads of what earlier steps wrote there")


class GenerationGrowth(_Part):
    """How the time of one place grows over the decode steps, the steepest first."""

    name: Text = Field(description="place as in places, or a stage for the Python time in it")
    kind: Text = Field(description="sort of work, or python")
    slope_ns: float = Field(description="ns a position (Theil–Sen)")
    low_ns: float | None = Field(
        description="ns a position; lower end of its 95 % interval (Sen); null below six steps"
    )
    high_ns: float | None = Field(
        description="ns a position; upper end of its 95 % interval (Sen); null below six steps"
    )
    grown_ns: float = Field(description="ns; slope_ns × positions between the first and the last decode step")
    grows: bool = Field(description="whether it grows by more than chance would show in one of so many places")


class GenerationReport(_Part):
    """A cycle that wrote text."""

    sequences: int = Field(description="sequences of the batch")
    tokens: int = Field(description="tokens written, of each sequence")
    metrics: list[MetricValue]
    dialects: list[DialectValue]
    phases: list[GenerationPhase]
    steps: list[GenerationStep]
    growth: list[GenerationGrowth]


class MemoryHeld(_Part):
    """Bytes held while each operation runs; peak_bytes is the most of weight_bytes + buffer_bytes + input_bytes +
    activations + cache.
    """

    peak_bytes: int = Field(description="bytes; the most that is held at once")
    peak_operation: int = Field(
        description="row of the operation in the graph during which it is, the first if several"
    )
    peak_site: Place
    weight_bytes: int = Field(description="bytes of the parameters, each piece of memory once, throughout")
    buffer_bytes: int = Field(description="bytes of the model's buffers and constants, throughout")
    input_bytes: int = Field(description="bytes of tensors that the cycle was given, throughout")
    activation_bytes: int = Field(description="bytes of activations at the peak")
    cache_bytes: int = Field(
        description="bytes of the cache at the peak: what a layer of one step leaves for later steps"
    )
    cache_end_bytes: int = Field(description="bytes of the cache at the end of the cycle")
    activations: list[int] = Field(description="bytes of activations while operation i of the graph runs")
    cache: list[int] = Field(description="bytes of the cache while operation i of the graph runs")


class MemoryPiece(_Part):
    """One piece of memory at the computed peak."""

    operation: int = Field(description="row of the operation in the graph that first wrote it")
    bytes: int = Field(description="bytes; its size")
    holding: Text = Field(description="activations or cache")


class MemoryReport(_Part):
    """What the cycle holds: computed from the graph, and as it was seen in a run of its own."""

    computed: MemoryHeld
    measured: MemoryHeld | None = Field(description="null where nobody looked")
    difference_bytes: int | None = Field(
        description="measured.peak_bytes − computed.peak_bytes; null where not measured"
    )
    needed_bytes: int = Field(description="bytes; the computed peak if everything were freed right after its last use")
    largest: list[MemoryPiece] = Field(description="largest pieces at the computed peak, weights left out")
    resident_bytes: int | None = Field(
        description="bytes of the process in main memory before a plain cycle; null where the system does not tell"
    )
    resident_peak_bytes: int | None = Field(description="bytes; the most of it during that cycle")


class Use(_Part):
    """A rate that was reached as a share of a ceiling; null where that ceiling, or the time, is not known."""

    of_measured: float | None = Field(description="share of the ceiling measured on this machine")
    of_datasheet: float | None = Field(description="share of the ceiling that the datasheet states")


class MemoryLevel(_Part):
    """One level of the memory, as fast as it can be with so many threads."""

    level: Text = Field(description="L1, L2, L3 or memory")
    capacity_bytes: int = Field(description="bytes that it holds, of a private cache those of one core; memory: 0")
    bytes_per_s: float = Field(description="bytes per second")


class CeilingsReport(_Part):
    """What the machine can do, as far as a reader needs it to check the figures."""

    origin: Literal["measured", "datasheet"]
    machine: Text
    engine: Text = Field(description="empty for a datasheet")
    taken_at: Text = Field(description="UTC, ISO 8601; for a datasheet: when somebody read it")
    threads: int = Field(description="threads that the ceilings are for; 0: the whole device")
    peak_flops_per_s: float | None = Field(
        description="FLOPs per second of the best matrix product in the plan's dtype"
    )
    levels: list[MemoryLevel]
    dispatch_ns: float | None = Field(description="ns; least time to dispatch one operation; null where not measured")


class GapLine(_Part):
    """Operations added up, and how far they are from their floors. time_ns = floor_ns + gap_ns."""

    name: Text = Field(description="place as in places; empty where the line is about one bound")
    bound: Text = Field(description="what most of the time is bound by: compute, memory, overhead or nothing")
    level: Text = Field(description="level that most of their traffic comes from; empty for none")
    count: int = Field(description="number of operations")
    time_ns: float = Field(description="ns; sum of the operations' time_ns")
    floor_ns: float = Field(description="ns; sum of min(time_ns, floor_ns) of the operations")
    gap_ns: float = Field(description="ns; sum of the operations' gap_ns")


class PhaseUtilisation(_Part):
    """One phase of a generation in which the model runs."""

    name: Text = Field(description="encode, prefill or decode")
    time_ns: float = Field(description="ns; time of the phase, Python included")
    flops: FlopCount
    memory_bytes: int = Field(description="bytes that must come from main memory or go there")
    mfu: Use
    mbu: Use


class RooflineReport(_Part):
    """The cycle against the ceilings of its machine. total_ns = floor_ns + gap_ns."""

    ceilings: CeilingsReport
    floor_ns: float = Field(description="ns; sum of min(time_ns, floor_ns) of the operations, one after the other")
    gap_ns: float = Field(description="ns; sum of the operations' gap_ns, and python_ns")
    python_ns: float = Field(description="ns of Python between operations")
    total_ns: float = Field(description="ns; sum of the operations' time_ns, and python_ns")
    memory_bytes: int = Field(description="bytes that must come from main memory or go there, by reuse distance")
    mfu: Use = Field(description="model FLOPs ÷ (wall time × peak of matrix products)")
    mbu: Use = Field(description="memory_bytes ÷ (wall time × bandwidth of main memory)")
    faster_operations: int = Field(description="operations that took less than their floor: that ceiling is too low")
    faster_ns: float = Field(description="ns; sum of their time_ns")
    places: list[GapLine] = Field(description="by place, the widest gap first")
    bounds: list[GapLine] = Field(description="by bound, for memory by level, the widest gap first")
    phases: list[PhaseUtilisation] = Field(description="phases of a generation; empty where no text was written")


class ExpertsReport(_Part):
    """How the tokens of a cycle divide on the experts of one layer of a mixture."""

    site: Place
    calls: int = Field(description="calls in the cycle; a generation makes one in every step")
    experts: int = Field(description="experts of the layer")
    routed: int = Field(description="tokens, each counted once for every expert that it goes to")
    expected_per_expert: float = Field(description="routed ÷ experts: what each would get if all got as many")
    tokens_per_expert: list[int] | None = Field(description="adds up to routed; null where the routing is not known")


class ArrangementPart(_Part):
    """The operations of one stage, or of one layer of it, taken by themselves."""

    stage: Text
    layer: int | None = Field(description="null for a whole stage")
    work_ns: float = Field(description="ns; all its operations one after the other")
    span_ns: float = Field(description="ns; the longest chain of them that wait for each other")
    parallelism: float = Field(description="work_ns ÷ span_ns: workers that it could keep busy")
    processor_share: float | None = Field(
        description="processor time of all threads ÷ wall time of its operations; null where not measured"
    )


class ScheduleReport(_Part):
    """The operations on so many workers, by list scheduling with the longest path first."""

    workers: int = Field(
        description="each running operations as quickly as the cycle did, with arrangement.threads threads"
    )
    makespan_ns: float = Field(
        description="ns; at least max(span, work ÷ workers), at most work ÷ workers + span (Graham, 1969)"
    )
    at_best: float = Field(
        description="(python + work) ÷ (python + makespan): how many times as fast the cycle could be"
    )


class ChainLink(_Part):
    """One operation of the critical path, with its fellows in the repeats."""

    places: list[Text] = Field(description="where it stands, as in places; several where layers differ")
    time_ns: float = Field(description="ns; all repeats together")


class ChainStretch(_Part):
    """A part of the critical path inside one stage."""

    stage: Text
    first_layer: int | None = Field(description="null outside of layers")
    last_layer: int | None = Field(description="the same as first_layer where one layer stands by itself")
    repeats: int = Field(description="layers × rounds that are folded here")
    time_ns: float = Field(description="ns; sum of its links")
    links: list[ChainLink]


class ChainRound(_Part):
    """Stretches that follow each other, so many times over."""

    times: int = Field(description="how often they follow each other; 1: no round")
    stretches: list[ChainStretch]


class ArrangementReport(_Part):
    """What must wait for what: operations alone, Python between them left out."""

    work_ns: float = Field(description="ns; all operations one after the other")
    span_ns: float = Field(description="ns; the longest chain of operations that wait for each other")
    parallelism: float = Field(description="work_ns ÷ span_ns: how many times as fast side by side at best")
    python_ns: float = Field(description="ns of Python between operations, which an eager engine runs in series")
    at_best: float = Field(description="(python_ns + work_ns) ÷ (python_ns + span_ns) (Amdahl, 1967)")
    threads: int = Field(description="threads inside an operation")
    busy_cores: float | None = Field(
        description="processor time of all threads ÷ wall time of all operations; null where not measured"
    )
    python_cores: float | None = Field(
        description="the same of Python between operations; above 1: threads that burn processor time waiting"
    )
    stages: list[ArrangementPart]
    layers: list[ArrangementPart]
    schedules: list[ScheduleReport]
    path: list[int] = Field(description="rows in the graph of the operations of the critical path, in order")
    chain: list[ChainRound] = Field(description="the same, with layers and rounds that repeat folded")
    slack_ns: list[float] = Field(
        description="ns; how much later operation i of the graph could end without delaying the last one"
    )
    processor_shares: list[float | None] | None = Field(
        description="processor ÷ wall time of operation i of the graph; null where it is shorter than a stamp"
    )


class DeviceLineRow(_Part):
    """Operations of one stage, or of one place in every layer, on the device's line of time."""

    name: Text
    count: int = Field(description="operations added up here")
    busy_ns: float = Field(description="ns; the device works for them")
    unclear_ns: float = Field(description="ns; it works or waits, which cannot be told apart")
    idle_ns: float = Field(description="ns; it waits for the host to launch them")
    queue_ns: float = Field(description="ns; how far the host was ahead of them on average")


class DeviceReport(_Part):
    """When the device works, and when it waits for the host: its line of time, less what marks cost."""

    pace: Literal["host", "device", "unclear"] = Field(description="who decides how long the cycle takes")
    span_ns: float = Field(description="ns; busy + unclear + idle, to the end of the device's work")
    busy_ns: float = Field(description="ns; the device works")
    unclear_ns: float = Field(
        description="ns in operations that the host was never ahead of: work and waiting cannot be told apart"
    )
    idle_ns: float = Field(description="ns; the device waits for the host, tail_ns included")
    tail_ns: float = Field(description="ns from its last operation to the end")
    of_wall: float | None = Field(description="span_ns ÷ wall; null where no wall was measured")
    of_wall_low: float | None = Field(description="lower end of its 95 % interval; null below six cycles")
    of_wall_high: float | None = Field(description="upper end of its 95 % interval; null below six cycles")
    marks_ns: float = Field(description="ns that the marks took, already taken off")
    runs: int = Field(description="runs as they are, behind the means")
    held_runs: int = Field(description="runs in which the host was let run ahead")
    operations_working: int = Field(description="operations that the device works for")
    operations_starved: int = Field(description="those that reach it when it has nothing left to do")
    ahead_ns: float = Field(description="ns; how far the host was ahead of operations_working on average")
    waits: list[int] = Field(description="rows in the graph of the operations in which the host waits for the device")
    waited_ns: float = Field(description="ns in these operations, on the host")
    end_wait_ns: float = Field(description="ns that the host waits at the end of the cycle")
    stages: list[DeviceLineRow]
    places: list[DeviceLineRow] = Field(description="the costliest first")
    operation_busy_ns: list[float] = Field(description="ns; of operation i of the graph")
    operation_unclear_ns: list[float] = Field(description="ns; of operation i of the graph")
    operation_idle_ns: list[float] = Field(description="ns; of operation i of the graph")
    operation_queue_ns: list[float] = Field(description="ns; how far the host was ahead of operation i")


class ThroughputReport(_Part):
    """A cycle that writes no text, by the text."""

    texts: int = Field(description="texts in one cycle")
    per_text_ns: float = Field(description="ns; wall.median_ns ÷ texts")
    per_text_low_ns: float | None = Field(description="ns; wall.low_ns ÷ texts; null where that is")
    per_text_high_ns: float | None = Field(description="ns; wall.high_ns ÷ texts; null where that is")
    texts_per_s: float = Field(description="texts per second; 10⁹ ÷ per_text_ns")
    texts_per_s_low: float | None = Field(description="texts per second; 10⁹ ÷ per_text_high_ns; null where that is")
    texts_per_s_high: float | None = Field(description="texts per second; 10⁹ ÷ per_text_low_ns; null where that is")
    padding_share: float = Field(description="share of the tokens that are padding, 0 … 1")
    padding_ns: float | None = Field(
        description="ns; padding_share × the time of the operations whose work grows with the tokens (no text, nothing "
        "too small for its work to count), an estimate of what padding costs in a cycle; null where no stage was measured"
    )


class DivisionReport(_Part):
    """How the time of a generation divides on the encoder, which runs once, and the decoder, which runs for each token."""

    tokens: int = Field(description="tokens written, of each sequence")
    encoder_ns: float = Field(description="ns; the phase encode")
    encoder_low_ns: LowNs
    encoder_high_ns: HighNs
    encoder_share: Share
    decoder_ns: float = Field(description="ns; the phases prefill and decode together")
    decoder_share: Share
    decoder_per_token_ns: float = Field(description="ns; decoder_ns ÷ tokens")


class CycleReport(_Part):
    """Everything that is told about one compute cycle."""

    schema_: Literal["cyclescope/cycle-report/1"] = Field(alias="schema", description="name and version of this schema")
    version: Text = Field(description="version of cyclescope that took the cycle")
    source: Literal["measured", "predicted", "imported"]
    taken_at: Text = Field(description="UTC, ISO 8601")
    partial: bool = Field(description="whether the measurement was interrupted")
    answer: Text = Field(description="one sentence in English: where the time goes")
    wall: Wall
    stages: list[Stage]
    layers: list[Layer]
    operations: list[Operation]
    kinds: list[Group] = Field(description="operations added up by kind")
    places: list[Group] = Field(description="operations added up by their place, the same in every layer")
    closure: Account
    workload: Work
    plan: How
    machine: Host
    set_up: PaidOnce
    warnings: list[Caution]
    findings: list[FindingReport] = Field(description="the most promising first, those that only inform last")
    notes: list[Text] = Field(description="facts that whoever reads the figures must know")
    generation: GenerationReport | None = Field(default=None, description="null for a cycle that wrote no text")
    throughput: ThroughputReport | None = Field(default=None, description="null for a cycle that wrote text")
    division: DivisionReport | None = Field(
        default=None, description="null where no encoder ran or no text was written"
    )
    memory: MemoryReport | None = Field(default=None, description="null for a cycle without operations")
    arrangement: ArrangementReport | None = Field(default=None, description="null where no operation was timed")
    experts: list[ExpertsReport] = Field(
        default_factory=list, description="of a mixture of experts, by layer; empty for any other model"
    )
    roofline: RooflineReport | None = Field(
        default=None, description="null where no ceilings of the machine are known, or nothing was stamped"
    )
    device: DeviceReport | None = Field(default=None, description="null where no device was marked, as on a CPU")


def json_schema() -> str:
    """The JSON Schema (draft 2020-12) of the document, as it is kept in `docs/schema/cycle-report-1.json`."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:cyclescope:cycle-report:1",
        **CycleReport.model_json_schema(mode="serialization"),
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
