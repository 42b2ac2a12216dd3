"""What stands behind a number: the words of its formula, by the `term` that a block names; MathML is in the HTML medium."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclescope.core.message import Text, m


@dataclass(frozen=True, slots=True)
class Term:
    """The title of a formula, what it says in words, and where it comes from."""

    title: Text
    text: Text
    source: Text


TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "wall": Term(
            m("Wall time of a cycle"),
            m(
                "The median over n whole cycles, from text in to result out, in uninstrumented runs. A median, since a disturbed run must not move the figure."
            ),
            m("monotonic clock of the system, in whole nanoseconds"),
        ),
        "interval": Term(
            m("95 % interval by order statistics"),
            m(
                "The sorted samples at ranks k and n + 1 − k hold the median with at least 95 % confidence, whatever the distribution: how many samples lie below the median is binomial. With fewer than six samples no such pair exists, and no interval is shown."
            ),
            m("H. A. David and H. N. Nagaraja, Order Statistics, 3rd ed., 2003, section 7.1"),
        ),
        "predicted": Term(
            m("Predicted time of a cycle"),
            m(
                "The sum of the times that a timing model gives the operations of the graph and what passes between them, moved by the median of its errors on unseen cycles. The interval holds 90 % of such cycles: quantiles of scenarios that spread as those errors do."
            ),
            m(
                "conformal prediction: V. Vovk, A. Gammerman and G. Shafer, Algorithmic Learning in a Random World, 2005"
            ),
        ),
        "predicted-part": Term(
            m("Predicted time of a part"),
            m(
                "The sum of the predicted times of what lies in the part: operations, and what passes between them. Its share is that sum over the sum of all parts; a rate is FLOP, or bytes, over it."
            ),
            m("the timing model that the page names; FLOP and bytes from the graph"),
        ),
        "minimum": Term(
            m("Least wall time"),
            m("The fastest of the n cycles: what the machine can do when nothing disturbs it."),
            m("the same samples as the median"),
        ),
        "cpu": Term(
            m("Processor time"),
            m(
                "The time that processors spent on this process, all threads added up, as a median over the cycles. Divided by the wall time it says how many cores were busy."
            ),
            m("processor clock of the process"),
        ),
        "stage": Term(
            m("Time of a stage"),
            m(
                "Every segment s between two timestamps belongs to one stage. Its duration d, less the cost c of the timestamps, is averaged over the typical runs R: those whose total lies in the middle half. Averages add up to the whole, medians would not."
            ),
            m("the instrumented runs; cyclescope.explaining.attribution"),
        ),
        "share": Term(
            m("Share"),
            m("A part over the sum of all parts of the instrumented runs. Shares add up to 100 %."),
            m("the instrumented runs"),
        ),
        "python": Term(
            m("Python between operations"),
            m(
                "From the end of one operation to the beginning of the next, less the cost of the timestamps in between: the interpreter, the modules' own code, dispatching."
            ),
            m("the instrumented runs"),
        ),
        "engine": Term(
            m("Engine between operations"),
            m(
                "From the end of one operation to the beginning of the next, by the counters of the engine, and what its calls take outside of all operations."
            ),
            m("the instrumented runs"),
        ),
        "exemplar": Term(
            m("The run that is drawn"),
            m(
                "Of the typical runs R the one whose total is their median. It is a real run and no average, so its times differ a little from the tables."
            ),
            m("cyclescope.explaining.timeline"),
        ),
        "flops": Term(
            m("Arithmetic: FLOP"),
            m(
                "Two for each multiply-add. A product of m × k by k × n takes 2mkn. Attention of b texts, h heads, T queries on S keys of size d takes 2bhTSd for the scores and as much for the weighted sum. Elementwise work is not in this figure."
            ),
            m("Vaswani et al., Attention Is All You Need, 2017, equation 1; the shapes in the traced graph"),
        ),
        "bytes": Term(
            m("Bytes read and written"),
            m(
                "What must cross the memory interface if nothing is in a cache: every input once, every output once. A view moves nothing."
            ),
            m("shapes and dtypes in the traced graph"),
        ),
        "rate": Term(
            m("Achieved rates"),
            m(
                "Arithmetic, and bytes, over the measured time. Bytes over time can exceed the bandwidth of the memory where data stays in a cache."
            ),
            m("FLOP and bytes from the graph, time from the instrumented runs"),
        ),
        "layers": Term(
            m("A layer unlike its siblings"),
            m("Marked where it is more than 15 % off the median layer and the two intervals do not meet."),
            m("the instrumented runs; intervals by order statistics"),
        ),
        "edge": Term(
            m("Bytes on an arrow"),
            m(
                "The memory m that part a wrote last and part b reads, each piece once however often it is read there, and of a view only what it shows."
            ),
            m("cyclescope.explaining.dataflow"),
        ),
        "memory-computed": Term(
            m("Memory, computed"),
            m(
                "What stands there throughout (weights, buffers, inputs), and every storage m that lives while operation i runs: from the operation that first writes it to the last that touches it. What a module is given lives until the module returns, a result to the end of the cycle. Views share a storage."
            ),
            m("shapes and dtypes in the traced graph; docs/memory.md"),
        ),
        "memory-measured": Term(
            m("Memory, measured"),
            m(
                "On the real device every new storage gets a weak reference, which does not keep it alive. After each call j inside operation i, and at its end, those that are still there are added up; the largest sum counts. This never happens while a cycle is timed."
            ),
            m("a separate, untimed run; docs/memory.md"),
        ),
        "closure": Term(
            m("Closure of the account"),
            m(
                "All parts over the uninstrumented wall time W. The difference is the row “unexplained”, whatever its sign. The account closes where it is at most 3 % of W. The interval is a bootstrap of the ratio of the two medians."
            ),
            m("B. Efron, Bootstrap Methods: Another Look at the Jackknife, 1979"),
        ),
        "roofline": Term(
            m("Roofline"),
            m(
                "The floor of an operation is the largest of three: its FLOPs F over the ceiling of products of its type and shape, its bytes over the bandwidth of the memory that holds them, and the overhead of the engine. The gap is what it took beyond that; floors and gaps add up to the cycle. An operation that was faster than its floor counts as it was."
            ),
            m("S. Williams, A. Waterman and D. Patterson, Roofline: An Insightful Visual Performance Model, 2009"),
        ),
        "what-if": Term(
            m("As if"),
            m(
                "Every bound of operation i is divided by the factor of its ceiling, the overhead multiplied by its own; the floor is the largest again. At the same distance, its time changes as the analytic timing model does: on a processor the larger of compute and memory, and the dispatch added; a device works while the host launches. Text stays as it is."
            ),
            m("the columns of the roofline; computed in the page"),
        ),
        "critical-path": Term(
            m("Work, span, parallelism"),
            m(
                "Work is the time of all operations, span that of the longest chain P of operations each of which waits for the one before. No number of workers is faster than the span. Time between operations is in neither."
            ),
            m("R. L. Graham, Bounds on Multiprocessing Timing Anomalies, 1969"),
        ),
        "instrumentation": Term(
            m("Cost of the instrumentation"),
            m("The instrumented cycle over the uninstrumented one, before anything is subtracted."),
            m("medians of both passes; bootstrap interval"),
        ),
    }
)
