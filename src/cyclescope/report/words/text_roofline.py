"""Texts of the page about the distance to the ceilings, and of what another machine would change, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RooflineText:
    """One language. Braces are filled in by `html_roofline`; what it shares with other media is in `text_gap`."""

    note: str
    gap: str
    bar: str
    bar_spoken: str
    part_spoken: str
    separator: str
    plot: str
    plot_spoken: str
    flops_axis: str
    intensity_axis: str
    strip: str
    bandwidth_axis: str
    product_line: str
    product_short: str
    vector_line: str
    vector_short: str
    size_legend: str
    hollow_legend: str
    keys: str
    nowhere: str
    left_out: str
    fact_count: str
    fact_rate: str
    fact_bandwidth: str
    fact_intensity: str
    gap_caption: str


@dataclass(frozen=True, slots=True)
class WhatIfText:
    """One language. The script fills in what changes."""

    title: str
    note: str
    sliders: str
    threads: str
    bandwidth: str
    peak: str
    overhead: str
    threads_note: str
    reset: str
    bound: str
    bound_note: str
    extrapolated: str
    extrapolated_note: str
    as_it_is: str
    as_if: str
    bar_spoken: str
    change: str
    scope: str
    merged: str


ROOFLINE_EN = RooflineText(
    note="The least that each operation could take by compute, by memory and by the engine’s overhead, against what it took.",
    gap="gap",
    bar="The cycle, cut by what its operations could not be faster than",
    bar_spoken="{total}: {parts}",
    part_spoken="{name} {time}",
    separator=", ",
    plot="Roofline",
    plot_spoken="{count} places of the model beside {lines} ceilings",
    flops_axis="FLOP/s",
    intensity_axis="FLOP per byte read and written",
    strip="Places without matrix arithmetic, by bytes a second",
    bandwidth_axis="bytes read and written a second",
    product_line="products of {rows} rows and more: {rate}",
    product_short="{rows} rows: {rate}",
    vector_line="vector times matrix: {rate}",
    vector_short="vector: {rate}",
    size_legend="area: time of the place, all its layers added up",
    hollow_legend="hollow: bound by the engine’s overhead",
    keys="Point at a place, or focus the drawing and press ← →, from the costliest on; a click or Enter shows it in the timeline, if it is drawn there. Above a line of a slower memory the data stayed in a faster one.",
    nowhere="{count} places have neither arithmetic nor bytes (views) or no known ceiling (text), so they stand in no drawing; they take {time}.",
    left_out="The {count} places that take the least, {time} together, are not drawn.",
    fact_count="operations",
    fact_rate="FLOP/s",
    fact_bandwidth="bytes/s",
    fact_intensity="FLOP per byte",
    gap_caption="Where the gap is: the places farthest from their ceilings",
)

ROOFLINE_ZH = RooflineText(
    note="每个算子按计算、按内存、按引擎开销最少需要的时间，与实际用时相比。",
    gap="差距",
    bar="本周期，按算子所受的限制划分",
    bar_spoken="{total}：{parts}",
    part_spoken="{name} {time}",
    separator="，",
    plot="屋顶线图",
    plot_spoken="模型的 {count} 处与 {lines} 条上限",
    flops_axis="FLOP/s",
    intensity_axis="每读写一字节的 FLOP",
    strip="没有矩阵计算之处，按每秒字节数",
    bandwidth_axis="每秒读写字节数",
    product_line="{rows} 行及以上的乘积：{rate}",
    product_short="{rows} 行：{rate}",
    vector_line="向量乘矩阵：{rate}",
    vector_short="向量：{rate}",
    size_legend="面积：该处各层相加的时间",
    hollow_legend="空心：受引擎开销限制",
    keys="指向某处，或聚焦图后按 ← →，从最耗时处开始；单击或按 Enter 在时间线中显示（若已画出）。位于较慢内存的线之上，说明数据留在较快的一级。",
    nowhere="有 {count} 处既无计算也无字节（视图），或没有已知上限（文本），未画在图中；共 {time}。",
    left_out="耗时最少的 {count} 处（共 {time}）未画出。",
    fact_count="算子数",
    fact_rate="FLOP/s",
    fact_bandwidth="字节/秒",
    fact_intensity="每字节 FLOP",
    gap_caption="差距所在：离上限最远之处",
)

WHAT_IF_EN = WhatIfText(
    title="What if",
    note="Another machine or engine, in numbers: the bound of every operation is computed again, here in the page. No figure of this section was measured.",
    sliders="What changes",
    threads="threads",
    bandwidth="bandwidth",
    peak="compute",
    overhead="overhead and Python",
    threads_note="Threads move the ceilings as they were measured for each number of threads.",
    reset="As it is",
    bound="at every ceiling",
    bound_note="A bound: with these operations no engine can be faster on such a machine.",
    extrapolated="at the same distance",
    extrapolated_note="An extrapolation: every operation stays as far above its bound as it is now. Not a measurement.",
    as_it_is="as it is",
    as_if="as if",
    bar_spoken="{name}: {total}, at the ceilings {floor}",
    change="×{factor} of now",
    scope="Operations one after the other, as they run now. What a cache would hold on another machine is not modelled.",
    merged="Operations with bounds that agree to {digits} digits are computed together.",
)

WHAT_IF_ZH = WhatIfText(
    title="如果",
    note="换一台机器或引擎会怎样：在页面内重新计算每个算子的下限。本节没有任何实测数字。",
    sliders="改变什么",
    threads="线程",
    bandwidth="带宽",
    peak="算力",
    overhead="开销与 Python",
    threads_note="线程数改变时，上限取各线程数下的实测值。",
    reset="恢复现状",
    bound="全部达到上限",
    bound_note="这是下限：在这样的机器上，用这些算子没有引擎能更快。",
    extrapolated="保持同样的距离",
    extrapolated_note="这是外推：每个算子与其下限保持现在的距离。并非实测。",
    as_it_is="现状",
    as_if="假设",
    bar_spoken="{name}：{total}，达到上限时 {floor}",
    change="现在的 ×{factor}",
    scope="算子仍按现在的方式依次运行。未模拟另一台机器上缓存能容纳多少。",
    merged="下限前 {digits} 位相同的算子合并计算。",
)
