"""Texts of the page about findings and about what waits for what: the critical path, in English and in Chinese."""

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
    """One language. Braces are filled in by `html_path`."""

    sentence: str
    no_choice: str
    legend: str
    spoken: str
    steps: str
    steps_caption: str
    parts_caption: str
    place: str
    share_of_path: str
    work: str
    span: str
    available: str
    reached: str
    schedules: str
    schedule: str
    separator: str


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
    sentence="The longest chain of operations that wait for each other, the critical path, has {count} operations of {all} and takes {span} of {work} in operations: {parallelism} operations could run at a time on average.",
    no_choice="Nearly everything waits for what came before, so more workers would not help; faster operations would.",
    legend="critical path",
    spoken="on the critical path",
    steps="The critical path and its parts as tables",
    steps_caption="The critical path, the same place of every layer added up, in the order of first appearance",
    parts_caption="Work, span and parallelism of each stage",
    place="place",
    share_of_path="of the path",
    work="work",
    span="span",
    available="available",
    reached="reached",
    schedules="Shared between workers, each as quick as now, the operations would take {list}.",
    schedule="{time} on {workers}",
    separator=", ",
)

PATH_ZH = PathText(
    sentence="相互等待的最长算子链即关键路径，由 {all} 个算子中的 {count} 个组成，在算子总时间 {work} 中占 {span}：平均最多可同时运行 {parallelism} 个算子。",
    no_choice="几乎每个算子都要等待前一个，增加工作者无益；更快的算子才有用。",
    legend="关键路径",
    spoken="在关键路径上",
    steps="以表格列出关键路径及各部分",
    steps_caption="关键路径，各层相同之处相加，按首次出现的顺序",
    parts_caption="各阶段的工作量、跨度与并行度",
    place="位置",
    share_of_path="占路径",
    work="工作量",
    span="跨度",
    available="可用",
    reached="已达到",
    schedules="由若干与现在同样快的工作者分担时，算子共需 {list}。",
    schedule="{time}（{workers} 个）",
    separator="，",
)
