"""Texts of the page about a cycle that writes text, in English and in Chinese."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GenerationText:
    """One language. Braces are filled in by `html_generation`."""

    note: str
    list_separator: str
    percentile_needs: str
    metrics_caption: str
    dialects: str
    dialects_caption: str
    dialects_note: str
    mean: str
    definition_of: str
    definition_source: str
    phases_caption: str
    curve_label: str
    curve_unprofiled: str
    curve_stamped: str
    curve_interval: str
    curve_range: str
    curve_grouped: str
    curve_not_from_zero: str
    curve_keys: str
    position_axis: str
    time_axis: str
    cache_axis: str
    trend: str
    point_spoken: str
    point_cache: str
    table: str
    table_caption: str
    step: str
    position: str
    from_token_to_token: str
    choosing: str
    cache: str
    steps: str
    previous_step: str
    next_step: str
    step_keys: str
    whole_steps: str
    growth_caption: str


EN = GenerationText(
    note="The metrics are of whole, unprofiled cycles; phases and the parts of a step are of the stamped runs. ƒ opens a metric’s formula, its points of the clock, and what other tools mean by the same name.",
    list_separator=", ",
    percentile_needs="{percentile} needs {n} gaps",
    metrics_caption="Metrics of the generation",
    dialects="The same runs, told by the definitions of other tools",
    dialects_caption="The same runs by the definitions of other tools",
    dialects_note="Computed here from the same points of the clock; none of these tools was run.",
    mean="mean",
    definition_of="Definition: {name}",
    definition_source="cyclescope define {name}",
    phases_caption="Time of each phase, with interval, share, and what of it ran in operations and in Python",
    curve_label="Time of a decode step over its position",
    curve_unprofiled="Each point is the time from one token to the next, unprofiled, as a median over the runs.",
    curve_stamped="Each point is the time of a step in the stamped runs.",
    curve_interval="The upright line through a point is its 95 % interval (n = {n}).",
    curve_range="The upright line through a point is the range of the runs (n = {n}, too few for an interval).",
    curve_grouped="Of each {few} neighbouring steps the one in the middle is drawn.",
    curve_not_from_zero="The axis of the time does not begin at zero.",
    curve_keys="Point at a step, or focus the drawing and press ← →; Home and End go to the ends, a click or Enter shows the step in the timeline.",
    position_axis="position: tokens before the one that the step reads",
    time_axis="time of a step",
    cache_axis="cache read in the step: keys and values, or a state",
    trend="Fitted slope (Theil–Sen): {slope}, 95 % interval {interval}.",
    point_spoken="{step}, position {position}: {time} {interval}",
    point_cache="cache {bytes}",
    table="All decode steps as a table",
    table_caption="Decode steps: unprofiled from token to token, and the parts in the stamped runs",
    step="step",
    position="position",
    from_token_to_token="token to token",
    choosing="choosing the token",
    cache="cache read",
    steps="Steps",
    previous_step="step before",
    next_step="next step",
    step_keys="s goes to the next step, Shift s to the step before; a search for “step 17” finds that step.",
    whole_steps="{count} of {all} steps are drawn with what is inside them (0 is the prefill): {steps}. Of the others only the model’s call is drawn; their parts are counted in every table. Added up, heaviest first, the inside of a step is that of the steps drawn whole.",
    growth_caption="Places whose time grows with the position",
)

ZH = GenerationText(
    note="各项指标取自完整、未打点的周期；时段划分和每步的各部分取自打点的运行。点击 ƒ 可查看指标的公式、计时的起止点，以及其他工具对同名指标的定义。",
    list_separator="，",
    percentile_needs="{percentile} 需要 {n} 个间隔",
    metrics_caption="文本生成的各项指标",
    dialects="同样的运行，按其他工具的定义",
    dialects_caption="同样的运行按其他工具的定义计算",
    dialects_note="由同样的计时点在此算出；并未运行这些工具。",
    mean="平均值",
    definition_of="定义：{name}",
    definition_source="cyclescope define {name}",
    phases_caption="各时段的时间、区间、占比，以及其中算子和 Python 各占多少",
    curve_label="解码步的时间随位置的变化",
    curve_unprofiled="每个点是从一个词元到下一个词元的时间，未打点，取各次运行的中位数。",
    curve_stamped="每个点是打点运行中一步的时间。",
    curve_interval="穿过点的竖线是其 95 % 区间（n = {n}）。",
    curve_range="穿过点的竖线是各次运行的范围（n = {n}，不足以给出区间）。",
    curve_grouped="每 {few} 个相邻的步只画居中的一个。",
    curve_not_from_zero="时间轴不从零开始。",
    curve_keys="指向某一步，或聚焦图后按 ← →；Home、End 到两端，单击或按 Enter 在时间线中显示该步。",
    position_axis="位置：该步所读词元之前的词元数",
    time_axis="每步时间",
    cache_axis="该步读取的缓存：键和值，或状态",
    trend="拟合斜率（Theil–Sen）：{slope}，95 % 区间 {interval}。",
    point_spoken="{step}，位置 {position}：{time} {interval}",
    point_cache="缓存 {bytes}",
    table="以表格列出所有解码步",
    table_caption="解码步：未打点的词元间隔，以及打点运行中的各部分",
    step="步",
    position="位置",
    from_token_to_token="词元间隔",
    choosing="选取词元",
    cache="读取的缓存",
    steps="步",
    previous_step="上一步",
    next_step="下一步",
    step_keys="s 跳到下一步，Shift s 跳到上一步；搜索“第 17 步”可找到该步。",
    whole_steps="{all} 步中有 {count} 步连同其内部一起画出（0 为预填充）：{steps}。其余各步只画模型的调用；其各部分在所有表格中都已计入。合并排列时，步的内部只含完整画出的各步。",
    growth_caption="时间随位置增长的地方",
)
