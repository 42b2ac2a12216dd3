"""Texts of the page about memory, in English and in Chinese; what it shares with other media is in `strings`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemoryText:
    """One language. Braces are filled in by `html_memory`."""

    note: str
    not_measured: str
    composition_caption: str
    bar_spoken: str
    part_spoken: str
    separator: str
    course: str
    course_spoken: str
    bytes_axis: str
    operation_axis: str
    standing: str
    peak: str
    one: str
    several: str
    grouped: str
    keys: str
    table: str
    table_caption: str
    operations: str
    most_in: str
    largest_caption: str


EN = MemoryText(
    note="What is held at once, computed from the graph alone and as it was seen on the running model. ƒ tells what counts.",
    not_measured="Nobody looked into a running cycle, so there is only the computed side.",
    composition_caption="What is held at the peak, by what it is held for",
    bar_spoken="{side}, {total} at the peak: {parts}",
    part_spoken="{name} {size}",
    separator=", ",
    course="Activations and cache while each operation runs",
    course_spoken="{side}: {text}.",
    bytes_axis="held for activations and cache",
    operation_axis="operations, in the order in which they ran",
    standing="Weights, buffers and inputs ({size}) are there throughout and not in this drawing.",
    peak="{side}: peak {size}",
    one="operation {number} of {all}, {site}: {held}",
    several="operations {number} of {all}, most in {site}: {held}",
    grouped="{few} neighbouring operations share a step of the curve, which is as high as the most held during one of them.",
    keys="Point at an operation, or focus the drawing and press ← →; Home and End go to the ends, a click or Enter shows the operation in the timeline, if it is drawn there.",
    table="The curve as a table",
    table_caption="Bytes held for activations and cache while each operation runs",
    operations="no.",
    most_in="operation",
    largest_caption="The largest pieces of memory at the computed peak",
)

ZH = MemoryText(
    note="同时占用的内存：仅由图计算所得，以及在运行的模型上所见。点击 ƒ 查看计入的内容。",
    not_measured="未对运行中的周期作观察，因此只有计算值。",
    composition_caption="峰值时占用的内存，按用途",
    bar_spoken="{side}，峰值 {total}：{parts}",
    part_spoken="{name} {size}",
    separator="，",
    course="每个算子运行时的激活值与缓存",
    course_spoken="{side}：{text}。",
    bytes_axis="激活值与缓存所占",
    operation_axis="算子，按运行顺序",
    standing="权重、缓冲区和输入（{size}）始终存在，未画在图中。",
    peak="{side}：峰值 {size}",
    one="第 {number} 个算子（共 {all} 个），{site}：{held}",
    several="第 {number} 个算子（共 {all} 个），最多出现在 {site}：{held}",
    grouped="曲线的每一级代表相邻的 {few} 个算子，其高度取其中占用最多的一个。",
    keys="指向某个算子，或聚焦图后按 ← →；Home、End 到两端，单击或按 Enter 在时间线中显示该算子（若已画出）。",
    table="以表格列出曲线",
    table_caption="每个算子运行时激活值与缓存所占的字节",
    operations="序号",
    most_in="算子",
    largest_caption="计算所得峰值时最大的几块内存",
)
