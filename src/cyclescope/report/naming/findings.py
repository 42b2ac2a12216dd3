"""Findings in words: what is claimed, what carries it, and what to do about it.

Claims and remedies are filled in with `share`, `subject`, `place`, `between`, and the numbers of the evidence by their
names (`of-ceiling` is `of_ceiling`); plurals count cores. What a claim says itself, the evidence beside it does not say again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclescope.core.message import Message, m, plural
from cyclescope.explaining.findings.finding import EvidenceName, FindingCode

_F, _E = FindingCode, EvidenceName


@dataclass(frozen=True, slots=True)
class FindingAdvice:
    """What is claimed and what to do about it, before they are filled in."""

    claim: Message
    remedy: Message


ADVICE: Mapping[FindingCode, FindingAdvice] = MappingProxyType(
    {
        _F.LAUNCH_BOUND: FindingAdvice(
            m("For {share} of the cycle the device waits for the host to launch its work."),
            m(
                "Compile the graph or launch it as a whole (torch.compile with mode='reduce-overhead', CUDA graphs), or let each launch do more with a larger batch."
            ),
        ),
        _F.DISPATCH_BOUND: FindingAdvice(
            m(
                "{share} of the cycle is dispatch: {between} between operations, and operations too small for their work to count."
            ),
            m(
                "Compile the graph (torch.compile, ONNX Runtime, OpenVINO), or give each operation more to do with a larger batch."
            ),
        ),
        _F.MEMORY_BOUND_DECODE: FindingAdvice(
            m(
                "{share} of the cycle is decode steps waiting for memory: weights and cache are read again for every token."
            ),
            m(
                "Use weights of fewer bits, generate more sequences at a time, or several tokens a step (speculative decoding)."
            ),
        ),
        _F.COMPUTE_BOUND: FindingAdvice(
            m("{share} of the cycle is matrix products bound by compute, at {of_ceiling} of their ceiling."),
            m("Use lower precision where this machine computes it in hardware, a smaller model, or fewer tokens."),
        ),
        _F.SCALAR_ACTIVATION: FindingAdvice(
            m("{share} of the cycle is {subject}: {times_floor} the time of one pass over its values."),
            m(
                "Try another form of the function in one operation: which of the exact, the tanh and the sigmoid form is vectorized depends on engine and processor."
            ),
        ),
        _F.PRODUCT_TRAFFIC: FindingAdvice(
            m(
                "{share} of the cycle is traffic around matrix products: copies, changes of layout, biases added separately."
            ),
            m("Give products the layout that they read, fold biases into them (linear, addmm), or compile the graph."),
        ),
        _F.PADDING: FindingAdvice(
            m("{padded} of the tokens are padding; the work on them is {share} of the cycle."),
            m("Put texts of similar length into one batch, pad to its longest only, or pack texts without padding."),
        ),
        _F.SLOW_TOKENIZER: FindingAdvice(
            m("{share} of the cycle is the tokenizer ({subject})."),
            m("Use a compiled (fast) tokenizer, tokenize in batches, or ahead of time while the model computes."),
        ),
        _F.UNFUSED_ATTENTION: FindingAdvice(
            m("{share} of the cycle is unfused attention, with the scores written to memory and read again."),
            m("Use fused attention where the model has it: --attention sdpa."),
        ),
        _F.CACHE_REALLOCATION: FindingAdvice(
            m("{share} of the cycle copies the growing cache, all of it in every decode step."),
            m("Use a cache of full length that is written in place: --cache static."),
        ),
        _F.OVERSUBSCRIPTION: FindingAdvice(
            plural(
                "{threads} threads share {cores} core, in operations that are {share} of the cycle.",
                "{threads} threads share {cores} cores, in operations that are {share} of the cycle.",
                2,
            ),
            m("Use --threads {cores}, and count every pool and process beside it (OMP_NUM_THREADS)."),
        ),
        _F.IDLE_CORES: FindingAdvice(
            m("{share} of the cycle is large matrix products that leave cores idle."),
            m("Use --threads {cores}, or a process for each core with texts of its own."),
        ),
        _F.UNLIKE_LAYER: FindingAdvice(
            m("{place} takes {factor} the time of the median layer of its stack."),
            m("Check what this layer ({subject}) does that the others do not: another class, a hook, other shapes."),
        ),
        _F.COMMUNICATION_BOUND: FindingAdvice(
            m("{share} of the cycle is collectives: the ranks wait for what they send each other."),
            m("Use fewer ranks of --tensor, more of --data, or an interconnect with less latency and more bandwidth."),
        ),
        _F.PIPELINE_BUBBLE: FindingAdvice(
            m("For {share} of the cycle this rank waits for other stages of the pipeline."),
            m("Use more microbatches (a larger --batch), fewer stages, or --tensor in the place of some of them."),
        ),
        _F.TOO_MANY_RANKS: FindingAdvice(
            m("Collectives take {share} of the cycle: these are more ranks than the work is worth."),
            m("Use fewer ranks for each replica, and --data for the others."),
        ),
        _F.TOO_SMALL_TO_SPREAD: FindingAdvice(
            m("The model is too small to be spread: one rank alone would take at most {one_rank}."),
            m("Use one rank for each replica, and --data for the others."),
        ),
        _F.FIRST_CALL: FindingAdvice(
            m("The first cycle takes {times_steady} the time of those after the warm-up."),
            m("Run a cycle before the first request comes, and keep the process alive."),
        ),
        _F.NOISE: FindingAdvice(
            m("Timing is noisy on this machine; small differences are not significant."),
            m("Stop other work, allow more time (such as --budget 60s), and compare interleaved runs."),
        ),
    }
)
# Instead of it where no ceiling is known.
COMPUTE_UNCALIBRATED = m(
    "{share} of the cycle is compute in matrix products; `cyclescope calibrate` measures the ceiling that they could reach."
)
# Instead of it where each product was predicted at its ceiling.
COMPUTE_PREDICTED = m("{share} of the cycle is matrix products bound by compute.")
# Instead of idle cores where there are threads for all of them.
WAITING_THREADS = FindingAdvice(
    plural(
        "{share} of the cycle is large matrix products whose threads wait: {busy} of {cores} core is busy in them.",
        "{share} of the cycle is large matrix products whose threads wait: {busy} of {cores} cores are busy in them.",
        2,
    ),
    m(
        "Give them more to split (a larger batch), check for a limit on the container or OMP_NUM_THREADS, or run a process for each core."
    ),
)
# Instead of the usual remedy for a graph that was exported and compiled already.
OF_AN_ENGINE: Mapping[FindingCode, Message] = MappingProxyType(
    {
        _F.DISPATCH_BOUND: m("Give each operation more to do with a larger batch."),
        _F.PRODUCT_TRAFFIC: m(
            "Give products the layout that they read, and fold biases into them (linear, addmm), in the model that is exported."
        ),
        _F.UNFUSED_ATTENTION: m(
            "Check whether the engine can fuse the attention of this model: that depends on how attention is written in the exported model."
        ),
    }
)
# With the number as `value`, counted where it is one.
EVIDENCE: Mapping[EvidenceName, Message] = MappingProxyType(
    {
        _E.PYTHON: m("{between} between operations {value}"),
        _E.SMALL: m("small operations {value}"),
        _E.OPERATIONS: plural("{value} operation", "{value} operations", 2),
        _E.MEAN_GAP: m("{value} of {between} per operation"),
        _E.MEAN_TIME: m("{value} each"),
        _E.TIME: m("{value} in all"),
        _E.OF_DECODE: m("{value} of the decode steps"),
        _E.BYTES_A_STEP: m("{value} per step"),
        _E.MOVED: m("{value} moved"),
        _E.REACHED_BANDWIDTH: m("{value} reached"),
        _E.BANDWIDTH_CEILING: m("ceiling {value}"),
        _E.USUAL_BANDWIDTH: m("elementwise operations of this cycle reach {value}"),
        _E.REACHED_FLOPS: m("{value} reached"),
        _E.FLOPS_CEILING: m("ceiling {value}"),
        _E.OF_CEILING: m("{value} of the ceiling"),
        _E.TIMES_FLOOR: m("{value} of one pass"),
        _E.COPIES: m("copies {value}"),
        _E.BIASES: m("biases {value}"),
        _E.PADDED: m("padding {value}"),
        _E.REAL_TOKENS: plural("{value} token of text", "{value} tokens of text", 2),
        _E.LONGEST: plural("longest text {value} token", "longest text {value} tokens", 2),
        _E.A_TOKEN: m("{value} per token"),
        _E.SCORES: m("scores of {value}"),
        _E.BETWEEN: m("passes between the products {value}"),
        _E.LAST_STEP: m("{value} in the last step"),
        _E.THREADS: plural("{value} thread", "{value} threads", 2),
        _E.CORES: plural("{value} core", "{value} cores", 2),
        _E.BUSY: m("{value} cores busy"),
        _E.EXCESS: m("{value} more than the median layer"),
        _E.FACTOR: m("{value} of the median layer"),
        _E.AT_OPERATION: m("{value} of it at one operation"),
        _E.STARVED: plural("{value} operation reaches an idle device", "{value} operations reach an idle device", 2),
        _E.MEAN_WAIT: m("waiting {value} each"),
        _E.HOST_WAITS: plural("the host waits in {value} operation", "the host waits in {value} operations", 2),
        _E.RANKS: plural("{value} rank", "{value} ranks", 2),
        _E.ONE_RANK: m("one rank at most {value}"),
        _E.STAGES: plural("{value} stage", "{value} stages", 2),
        _E.MICROBATCHES: plural("{value} microbatch", "{value} microbatches", 2),
        _E.FIRST: m("first {value}"),
        _E.STEADY: m("later {value}"),
        _E.TIMES_STEADY: m("{value} of a later one"),
        _E.HALF_WIDTH: m("median known to ±{value}"),
        _E.OTHER_LOAD: m("other work on {value} of the cores"),
        _E.NO_DIFFERENCE: m("the same cycle twice differs by up to {value}"),
    }
)
