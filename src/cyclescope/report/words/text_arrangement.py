"""The words about the temporal arrangement, in English and in Chinese."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.report.words.strings import Strings


@dataclass(frozen=True, slots=True)
class ArrangementText:
    """One language. `busy…` say how many cores are busy: with threads that wait asleep, and with threads that burn time
    waiting, where processor time is no measure of work.
    """

    title: str
    bound: str
    serial: str
    busy: str
    busy_waiting: str
    busy_waiting_remedy: str
    python: str
    waiting: str
    part: str
    work: str
    span: str
    available: str
    reached: str
    one_of_layers: str
    workers: str
    takes: str
    operations_faster: str
    cycle_faster: str
    schedule: str
    schedule_threads: str
    path: str
    repeated: str
    layers: str
    one_layer: str
    alternatives: str
    elided: str
    follows: str


EN = ArrangementText(
    title="What must wait for what",
    bound="Of {work} of operations, {span} must follow each other: at most {parallelism} by running operations side by side.",
    serial="Of {work} of operations, all must follow each other: nothing can run side by side but threads inside an operation.",
    busy="Operations keep {busy} of {cores} cores busy, by threads inside them.",
    busy_waiting="While operations run, {busy} of {cores} cores are busy, but so are {python} while only Python runs between them: threads that wait for work burn processor time, so this does not tell how many work.",
    busy_waiting_remedy="To see what the threads use, measure with OMP_WAIT_POLICY=PASSIVE in the environment.",
    python="Python between operations takes {python}, one line after the other, and is left out here. With it, an eager engine that runs operations side by side could make the cycle {faster} as fast at best.",
    waiting="Between operations the device waits {python} for launches, which is left out here. With it, a device that runs operations side by side could make the cycle {faster} as fast at best.",
    part="part",
    work="work",
    span="span",
    available="available",
    reached="cores busy",
    one_of_layers="{stage}, one of {count} layers",
    workers="workers",
    takes="operations take",
    operations_faster="operations",
    cycle_faster="cycle, with Python",
    schedule="The operations on several workers, in the best order that list scheduling finds.",
    schedule_threads="The same, each worker with {threads} threads as here, so {workers} workers want {cores} cores.",
    path="critical path: the longest chain of operations that wait for each other",
    repeated="{what} × {count}",
    layers="{stage} {first}…{last}",
    one_layer="{stage} {first}",
    alternatives=" / ",
    elided="…",
    follows=" → ",
)
ZH = ArrangementText(
    title="时序安排：谁必须等谁",
    bound="全部算子共 {work}，其中 {span} 必须先后进行：让算子并行，至多 {parallelism}。",
    serial="全部算子共 {work}，必须逐个进行：除算子内部的线程外，没有可以并行的部分。",
    busy="算子靠内部线程使 {cores} 个核心中的 {busy} 个处于忙碌。",
    busy_waiting="算子运行时 {cores} 个核心中有 {busy} 个忙碌，但算子之间只有 Python 运行时也有 {python} 个忙碌：等待任务的线程在空转并消耗处理器时间，因此该数值不能说明有多少线程在工作。",
    busy_waiting_remedy="要看线程实际用了多少，请在环境变量 OMP_WAIT_POLICY=PASSIVE 下测量。",
    python="算子之间的 Python 用时 {python}，逐行执行，未计入此处。计入后，即时（eager）引擎并行运行算子最多使整个周期达到原来的 {faster} 速度。",
    waiting="算子之间设备等待启动 {python}，未计入此处。计入后，设备并行运行算子最多使整个周期达到原来的 {faster} 速度。",
    part="部分",
    work="工作量",
    span="跨度",
    available="并行度",
    reached="忙碌核心数",
    one_of_layers="{stage}，{count} 层之一",
    workers="工作者",
    takes="算子用时",
    operations_faster="算子加速",
    cycle_faster="周期加速",
    schedule="把算子排到若干工作者上，次序取表调度（list scheduling）所能找到的最佳者。",
    schedule_threads="同上；每个工作者仍用 {threads} 个线程，因此 {workers} 个工作者需要 {cores} 个核心。",
    path="关键路径：互相等待的最长算子链",
    repeated="{what} × {count}",
    layers="{stage} {first}…{last}",
    one_layer="{stage} {first}",
    alternatives=" / ",
    elided="…",
    follows=" → ",
)


# Of a cycle whose time between operations is an engine's own.
EN_ENGINE = replace(
    EN,
    busy_waiting="While operations run, {busy} of {cores} cores are busy, but so are {python} between them: threads that wait for work burn processor time, so this does not tell how many work.",
    python="The engine takes {python} between operations, which is left out here. With it, running operations side by side could make the cycle {faster} as fast at best.",
    cycle_faster="cycle, with the engine",
)
ZH_ENGINE = replace(
    ZH,
    busy_waiting="算子运行时 {cores} 个核心中有 {busy} 个忙碌，但算子之间也有 {python} 个忙碌：等待任务的线程在空转并消耗处理器时间，因此该数值不能说明有多少线程在工作。",
    python="算子之间引擎用时 {python}，未计入此处。计入后，并行运行算子最多使整个周期达到原来的 {faster} 速度。",
)


def arrangement_text(s: Strings) -> ArrangementText:
    """The words in the language of `s`, and for whatever runs between the operations."""
    if s.language == "zh":
        return ZH_ENGINE if s.engine_between else ZH
    return EN_ENGINE if s.engine_between else EN
