"""Texts of the section about the distance to the ceilings, for terminal and Markdown, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from cyclescope.core.ceilings import Origin
from cyclescope.explaining.roofline import Bound
from cyclescope.report.words.strings import Strings


@dataclass(frozen=True, slots=True)
class GapText:
    """One language. Braces are filled in by `roofline`."""

    title: str
    sentence: str
    sentence_without_python: str
    sentence_on_device: str
    place: str
    bound_by: str
    floor: str
    reached: str
    share_of_gap: str
    python: str
    waiting: str
    bounds: Mapping[Bound, str]
    memory_level: str
    main_memory: str
    mfu: str
    mbu: str
    of_measured: str
    of_datasheet: str
    separator: str
    ceilings: Mapping[Origin, str]
    ceilings_value: str
    product: str
    bandwidth: str
    dispatch: str
    scope: str
    faster: str
    faster_remedy: str
    absent: str
    absent_remedy: str


EN = GapText(
    title="Distance to the ceilings",
    sentence="If every operation ran at its ceiling, this cycle would take {floor}; it takes {total}, {python} of which is Python between operations. {count} places hold {share} of the gap.",
    sentence_without_python="If every operation ran at its ceiling, this cycle would take {floor}; it takes {total}. {count} places hold {share} of the gap.",
    sentence_on_device="If every operation ran at its ceiling, this cycle would take {floor} of the device; it takes {total}, {python} of which the device waits for launches. {count} places hold {share} of the gap.",
    place="place",
    bound_by="bound by",
    floor="at the ceiling",
    reached="reached",
    share_of_gap="of the gap",
    python="Python between operations",
    waiting="waiting for launches",
    bounds=MappingProxyType(
        {
            Bound.COMPUTE: "compute",
            Bound.MEMORY: "memory",
            Bound.OVERHEAD: "overhead",
            Bound.NOTHING: "text, no ceiling",
        }
    ),
    memory_level="memory ({level})",
    main_memory="main memory",
    mfu="FLOPs used (MFU)",
    mbu="bandwidth used (MBU)",
    of_measured="{share} of what was measured here",
    of_datasheet="{share} of the datasheet",
    separator=", ",
    ceilings=MappingProxyType({Origin.MEASURED: "ceilings, measured", Origin.DATASHEET: "ceilings, datasheet"}),
    ceilings_value="{machine} · {date} · threads: {threads} · {figures}",
    product="products {rate}",
    bandwidth="{level} {rate}",
    dispatch="dispatch {time}",
    scope="A floor is the largest of three: FLOPs ÷ the ceiling of a product of that shape, bytes ÷ the bandwidth of the level where the data were last, and the dispatch of one operation. Views need nothing.",
    faster="{count} operations ({share} of the time) were faster than their floor: their ceiling is too low, and the gap is larger than told.",
    faster_remedy="Calibrate again with nothing else running: `cyclescope calibrate`.",
    absent="How far each operation is from what this machine can do is not known: nobody has measured its ceilings.",
    absent_remedy="`cyclescope calibrate` measures the machine once; cycles measured after that are held against it.",
)

ZH = GapText(
    title="与上限的距离",
    sentence="若每个算子都达到上限，本周期需 {floor}；实际为 {total}，其中算子之间的 Python 占 {python}。{count} 处占差距的 {share}。",
    sentence_without_python="若每个算子都达到上限，本周期需 {floor}；实际为 {total}。{count} 处占差距的 {share}。",
    sentence_on_device="若每个算子都达到上限，本周期需设备 {floor}；实际为 {total}，其中设备等待启动 {python}。{count} 处占差距的 {share}。",
    place="位置",
    bound_by="受限于",
    floor="达到上限时",
    reached="已达到",
    share_of_gap="占差距",
    python="算子之间的 Python",
    waiting="等待启动",
    bounds=MappingProxyType(
        {
            Bound.COMPUTE: "计算",
            Bound.MEMORY: "内存",
            Bound.OVERHEAD: "开销",
            Bound.NOTHING: "文本，无上限",
        }
    ),
    memory_level="内存（{level}）",
    main_memory="主内存",
    mfu="算力利用率（MFU）",
    mbu="带宽利用率（MBU）",
    of_measured="本机实测的 {share}",
    of_datasheet="数据手册的 {share}",
    separator="，",
    ceilings=MappingProxyType({Origin.MEASURED: "上限（实测）", Origin.DATASHEET: "上限（数据手册）"}),
    ceilings_value="{machine} · {date} · {threads} 线程 · {figures}",
    product="矩阵乘法 {rate}",
    bandwidth="{level} {rate}",
    dispatch="派发 {time}",
    scope="下限取三者中最大的：FLOP ÷ 该形状矩阵乘法的上限，字节 ÷ 数据上次所在一级的带宽，以及派发一个算子的时间。视图不需要时间。",
    faster="有 {count} 个算子（占时间的 {share}）快于其下限：它们的上限偏低，实际差距比所示更大。",
    faster_remedy="请在没有其他负载时重新校准：`cyclescope calibrate`。",
    absent="尚不知道各算子离本机的上限有多远：没有人测量过本机的上限。",
    absent_remedy="`cyclescope calibrate` 测量本机一次；之后测得的周期都会与之比较。",
)


def gap_text(s: Strings) -> GapText:
    """The words in the language of `s`, and for whatever runs between the operations."""
    t = ZH if s.language == "zh" else EN
    if not s.engine_between:
        return t
    return replace(t, python=s.python, sentence=t.sentence.replace(t.python, s.engine_between))
