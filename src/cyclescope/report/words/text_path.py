"""What the page adds to the words about findings and about the temporal arrangement, in English and in Chinese."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingsText:
    """One language: what the page adds to the words of `text_findings`."""

    show: str
    show_spoken: str
    see: str
    share_legend: str
    gain_legend: str


@dataclass(frozen=True, slots=True)
class PathText:
    """One language: what the page adds to the words of `text_arrangement`."""

    note: str
    legend: str
    spoken: str
    tables: str
    caption: str


FINDINGS_EN = FindingsText(
    show="Show in the timeline",
    show_spoken="Show finding {number} in the timeline",
    see="See the figures",
    share_legend="what it is about, of the whole cycle",
    gain_legend="what the remedy could bring at most",
)

FINDINGS_ZH = FindingsText(
    show="在时间线中显示",
    show_spoken="在时间线中显示第 {number} 条发现",
    see="查看数字",
    share_legend="所涉部分，占整个周期",
    gain_legend="对策最多可带来的收益",
)

PATH_EN = PathText(
    note="The order that the operations need, and what running them side by side could bring. The critical path is marked in the data flow below.",
    legend="critical path",
    spoken="on the critical path",
    tables="Stages, workers and the critical path as tables",
    caption="{title}: {what}",
)

PATH_ZH = PathText(
    note="算子所需的先后次序，以及并行运行能带来多少。关键路径在下面的数据流中标出。",
    legend="关键路径",
    spoken="在关键路径上",
    tables="以表格列出各阶段、工作者与关键路径",
    caption="{title}：{what}",
)
