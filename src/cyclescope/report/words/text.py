"""Texts that only the HTML page has, in English and in Chinese; what it shares with other media is in `strings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclescope.core.errors import UsageError
from cyclescope.report.words.text_generation import EN as GENERATION_EN
from cyclescope.report.words.text_generation import ZH as GENERATION_ZH
from cyclescope.report.words.text_generation import GenerationText
from cyclescope.report.words.text_memory import EN as MEMORY_EN
from cyclescope.report.words.text_memory import ZH as MEMORY_ZH
from cyclescope.report.words.text_memory import MemoryText
from cyclescope.report.words.text_path import FINDINGS_EN, FINDINGS_ZH, PATH_EN, PATH_ZH, FindingsText, PathText
from cyclescope.report.words.text_roofline import (
    ROOFLINE_EN,
    ROOFLINE_ZH,
    WHAT_IF_EN,
    WHAT_IF_ZH,
    RooflineText,
    WhatIfText,
)


@dataclass(frozen=True, slots=True)
class FormulaText:
    """The words of a formula; its MathML is in `assets/formulas.html.j2`."""

    title: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class ChartText:
    """What the scripts say. Braces are filled in there."""

    cycle: str
    python: str
    stage: str
    module: str
    kind: str
    time: str
    share: str
    starts: str
    flops: str
    bytes: str
    found: str
    inside: str
    inside_equal: str
    flow: str
    frame: str
    prefill: str
    step: str
    steps: str
    folded: str


@dataclass(frozen=True, slots=True)
class PageText:
    """One language. `tag` is its BCP 47 tag."""

    tag: str
    skip: str
    brand: str
    contents: str
    theme: str
    themes: Mapping[str, str]
    footer: str
    formula_of: str
    source: str
    close: str
    no_script: str
    # the answer
    nav_answer: str
    median_wall: str
    median_of: str
    minimum: str
    cpu: str
    busy_cores: str
    work: str
    moved: str
    # stages
    stages_note: str
    stages_caption: str
    bar: str
    bar_spoken: str
    in_operations: str
    operations_count: str
    # timeline
    timeline: str
    timeline_note: str
    timeline_role: str
    timeline_label: str
    timeline_keys: str
    arrangement: str
    as_it_happened: str
    heaviest_first: str
    search: str
    zoom: str
    zoom_in: str
    zoom_out: str
    whole: str
    colours: str
    omitted: str
    families: Mapping[str, str]
    # costliest
    costliest_note: str
    costliest_links: str
    place: str
    places_caption: str
    single_operations: str
    operations_caption: str
    site: str
    bytes: str
    # layers
    layers_note: str
    layers_table: str
    layers_caption: str
    layers_caption_cut: str
    layers_grouped: str
    class_name: str
    python_short: str
    layer_spoken: str
    # data flow
    flow: str
    flow_note: str
    flow_drawn: str
    flow_level: str
    flow_table: str
    flow_caption: str
    flow_in: str
    flow_out: str
    flow_text: str
    from_: str
    to: str
    tensors: str
    many_tensors: str
    weights: str
    each_to_next: str
    outside_layers: str
    # account and method
    account_note: str
    account_caption: str
    method: str
    method_summary: str
    passes: tuple[str, ...]
    stamp_cost: str
    stamp_cost_value: str
    plain_runs: str
    light_runs: str
    budget: str
    other_load: str
    traced_on: str
    software: str
    taken_at: str
    seed: str
    generation: GenerationText
    memory: MemoryText
    roofline: RooflineText
    what_if: WhatIfText
    path: PathText
    findings: FindingsText
    chart: ChartText
    formulas: Mapping[str, FormulaText]


_EN = PageText(
    tag="en",
    skip="Skip to the answer",
    brand="compute cycle",
    contents="Contents",
    theme="Theme:",
    themes=MappingProxyType({"auto": "system", "light": "light", "dark": "dark"}),
    footer="Made by cyclescope {version} from a cycle taken at {taken_at}. This page is one file and opens no connection.",
    formula_of="Formula: {name}",
    source="Source:",
    close="Close",
    no_script="This chart needs scripts. The tables of this page do not.",
    nav_answer="Answer",
    median_wall="wall time, median",
    median_of="n = {n}",
    minimum="least",
    cpu="processor time",
    busy_cores="{cores} cores busy",
    work="arithmetic",
    moved="bytes read and written",
    stages_note="From text in to text out. Each bar is solid where an operation ran and hatched where Python ran between operations.",
    stages_caption="Time of each stage of the cycle, with interval and share",
    bar="time, drawn",
    bar_spoken="{name}: {time} {interval}, of which {operations} in operations and {python} in Python",
    in_operations="inside operations",
    operations_count="operations",
    timeline="Timeline",
    timeline_note="One real run, the one closest to the median, stamp costs taken off. What stands below ran inside what stands above.",
    timeline_role="timeline",
    timeline_label="Timeline of the cycle",
    timeline_keys="Click the chart, then: wheel or + − zooms, drag or Shift ← → pans, 0 shows everything. ← → ↑ ↓ walk from span to span, Enter zooms to the span, / searches, n goes to the next match.",
    arrangement="Arrangement",
    as_it_happened="As it happened",
    heaviest_first="Added up, heaviest first",
    search="Search operations and modules",
    zoom="Zoom",
    zoom_in="Zoom in",
    zoom_out="Zoom out",
    whole="Whole",
    colours="Colours",
    omitted="{count} spans shorter than {time} are not in this chart, so that the page stays small; they take {total} together and are counted in every table.",
    families=MappingProxyType(
        {
            "matmul": "matrix products",
            "attention": "attention, softmax",
            "norm": "normalisation",
            "activation": "activation",
            "elementwise": "elementwise, reduction",
            "embedding": "table look-up",
            "movement": "copies, views",
            "text": "text",
            "other": "other operations",
            "python": "Python",
            "frame": "module",
        }
    ),
    costliest_note="Every place of the model, added up over its layers. Sort by any column.",
    costliest_links="A name leads to the span in the timeline, that of a place to the longest one drawn.",
    place="place",
    places_caption="Costliest places, the same place of every layer added up",
    single_operations="Single operations, each at one site",
    operations_caption="The {shown} costliest of {all} operations",
    site="site",
    bytes="bytes",
    layers_note="Layers of one stack do the same work; one that differs has a reason. The dashed line is their median.",
    layers_table="All layers as a table",
    layers_caption="Time of each layer, Python inside it included",
    layers_caption_cut="Time of the {shown} costliest of {all} layers, Python inside them included",
    layers_grouped="each column is the heaviest of {few} neighbours",
    class_name="class",
    python_short="Python",
    layer_spoken="{name}: {time} {interval}, of which {python} in Python",
    flow="Data flow",
    flow_note="What one part hands to the next. Equal layers are drawn once. Choose a part to see the operations inside it.",
    flow_drawn="Data flow, drawn",
    flow_level="Level of detail",
    flow_table="The arrows as a table",
    flow_caption="Memory that crosses from part to part",
    flow_in="input",
    flow_out="output",
    flow_text="text, UTF-8",
    from_="from",
    to="to",
    tensors="tensors",
    many_tensors="{count} tensors",
    weights="{size} of weights",
    each_to_next="each hands {size} to the next",
    outside_layers="outside its layers",
    account_note="The parts were measured in stamped runs, the whole in runs that nobody looked into. What is missing between them is a row of its own.",
    account_caption="The account of the wall time",
    method="How it was measured",
    method_summary="Three passes, their settings and what else the machine did",
    passes=(
        "Plain: whole cycles without any instrumentation, until the interval of the median is narrow or the budget ends. This is the truth that the parts must add up to.",
        "Light: the same cycles with a stamp before and after every operation and module. This gives the shares. What a stamp costs is measured on a tiny twin of the model and taken off.",
        "Structure: one trace without any timing gives operations, shapes, bytes and dependencies.",
    ),
    stamp_cost="cost of a pair of stamps",
    stamp_cost_value="{inside} inside an operation and {outside} around it ({how}; measured on {twin}, n = {n})",
    plain_runs="plain cycles",
    light_runs="stamped cycles",
    budget="budget",
    other_load="cores used by others meanwhile",
    traced_on="traced on",
    software="software",
    taken_at="taken at",
    seed="seed",
    generation=GENERATION_EN,
    memory=MEMORY_EN,
    roofline=ROOFLINE_EN,
    what_if=WHAT_IF_EN,
    path=PATH_EN,
    findings=FINDINGS_EN,
    chart=ChartText(
        cycle="cycle",
        python="Python",
        stage="stage",
        module="module",
        kind="kind",
        time="time",
        share="of this run",
        starts="starts at",
        flops="arithmetic",
        bytes="bytes",
        found="{count} matches, {time}, {share}",
        inside="Inside {name}",
        inside_equal="Inside {name}, the same in {chosen}",
        flow="Data flow",
        frame="module",
        prefill="prefill",
        step="step {k}",
        steps="decode steps",
        folded="its inside is not drawn, see below",
    ),
    formulas=MappingProxyType(
        {
            "wall": FormulaText(
                "Wall time of a cycle",
                "The median over n whole cycles, from the text handed in to the result handed out, without any instrumentation. A median, since a disturbed run must not move the figure.",
                "monotonic clock of the system, in whole nanoseconds",
            ),
            "interval": FormulaText(
                "95 % interval by order statistics",
                "The sorted samples at ranks k and n + 1 − k hold the median with at least 95 % confidence, whatever the distribution: how many samples lie below the median is binomial. With fewer than six samples no such pair exists, and no interval is shown.",
                "H. A. David and H. N. Nagaraja, Order Statistics, 3rd ed., 2003, section 7.1",
            ),
            "minimum": FormulaText(
                "Least wall time",
                "The fastest of the n cycles: what the machine can do when nothing disturbs it.",
                "the same samples as the median",
            ),
            "cpu": FormulaText(
                "Processor time",
                "The time that processors spent on this process, all threads added up, as a median over the cycles. Divided by the wall time it says how many cores were busy.",
                "processor clock of the process",
            ),
            "stage": FormulaText(
                "Time of a stage",
                "Every slot s between two stamps belongs to one stage. Its duration d, less the cost c of the stamps, is averaged over the typical runs R: those whose total lies in the middle half. Averages add up to the whole, medians would not.",
                "the stamped runs; cyclescope.explaining.attribution",
            ),
            "share": FormulaText(
                "Share",
                "A part over the sum of all parts of the stamped runs. Shares add up to 100 %.",
                "the stamped runs",
            ),
            "python": FormulaText(
                "Python between operations",
                "From the end of one operation to the beginning of the next, less the cost of the stamps in between: the interpreter, the modules' own code, dispatching.",
                "the stamped runs",
            ),
            "exemplar": FormulaText(
                "The run that is drawn",
                "Of the typical runs R the one whose total is their median. It is a real run and no average, so its times differ a little from the tables.",
                "cyclescope.explaining.timeline",
            ),
            "flops": FormulaText(
                "Arithmetic: FLOP",
                "Two for each multiply-add. A product of m × k by k × n takes 2mkn. Attention of b texts, h heads, T queries on S keys of size d takes 2bhTSd for the scores and as much for the weighted sum. Elementwise work is not in this figure.",
                "Vaswani et al., Attention Is All You Need, 2017, equation 1; the shapes in the traced graph",
            ),
            "bytes": FormulaText(
                "Bytes read and written",
                "What must cross the memory interface if nothing is in a cache: every input once, every output once. A view moves nothing.",
                "shapes and dtypes in the traced graph",
            ),
            "rate": FormulaText(
                "Achieved rates",
                "Arithmetic, and bytes, over the measured time. Bytes over time can exceed the bandwidth of the memory where data stays in a cache.",
                "FLOP and bytes from the graph, time from the stamped runs",
            ),
            "layers": FormulaText(
                "A layer unlike its siblings",
                "Marked where it is more than 15 % off the median layer and the two intervals do not meet.",
                "the stamped runs; intervals by order statistics",
            ),
            "edge": FormulaText(
                "Bytes on an arrow",
                "The memory m that part a wrote last and part b reads, each piece once however often it is read there, and of a view only what it shows.",
                "cyclescope.explaining.dataflow",
            ),
            "memory-computed": FormulaText(
                "Memory, computed",
                "What stands there throughout (weights, buffers, inputs), and every storage m that lives while operation i runs: from the operation that first writes it to the last that touches it. What a module is given lives until the module returns, a result to the end of the cycle. Views share a storage.",
                "shapes and dtypes in the traced graph; docs/memory.md",
            ),
            "memory-measured": FormulaText(
                "Memory, measured",
                "On the real device every new storage gets a weak reference, which does not keep it alive. After each call j inside operation i, and at its end, those that are still there are added up; the look that saw the most counts. Never while a cycle is timed.",
                "a run of its own that nobody timed; docs/memory.md",
            ),
            "closure": FormulaText(
                "Closure of the account",
                "All parts over the unprofiled wall time W. The difference is the row “unexplained”, whatever its sign. The account closes where it is at most 3 % of W. The interval is a bootstrap of the ratio of the two medians.",
                "B. Efron, Bootstrap Methods: Another Look at the Jackknife, 1979",
            ),
            "roofline": FormulaText(
                "Roofline",
                "The floor of an operation is the largest of three: its FLOPs F over the ceiling of products of its type and shape, its bytes over the bandwidth of the memory that holds them, and the overhead of the engine. The gap is what it took beyond that; floors and gaps add up to the cycle. An operation that was faster than its floor counts as it was.",
                "S. Williams, A. Waterman and D. Patterson, Roofline: An Insightful Visual Performance Model, 2009",
            ),
            "what-if": FormulaText(
                "As if",
                "Every bound of operation i is divided by the factor of its ceiling, the overhead multiplied by its own, and the largest taken again. At the same distance, its time changes as its floor does. Text stays as it is.",
                "the columns of the roofline; computed in the page",
            ),
            "critical-path": FormulaText(
                "Work, span, parallelism",
                "Work is the time of all operations, span that of the longest chain P of operations each of which waits for the one before. No number of workers is faster than the span. Python between operations is in neither.",
                "R. L. Graham, Bounds on Multiprocessing Timing Anomalies, 1969",
            ),
            "instrumentation": FormulaText(
                "What looking costs",
                "The stamped cycle over the plain one, before anything is taken off.",
                "medians of both passes; bootstrap interval",
            ),
        }
    ),
)

_ZH = PageText(
    tag="zh-CN",
    skip="跳到结论",
    brand="计算周期",
    contents="目录",
    theme="主题：",
    themes=MappingProxyType({"auto": "跟随系统", "light": "浅色", "dark": "深色"}),
    footer="由 cyclescope {version} 生成，周期测于 {taken_at}。本页是单个文件，不建立任何网络连接。",
    formula_of="公式：{name}",
    source="来源：",
    close="关闭",
    no_script="此图需要脚本；本页的表格不需要。",
    nav_answer="结论",
    median_wall="墙钟时间（中位数）",
    median_of="n = {n}",
    minimum="最短",
    cpu="处理器时间",
    busy_cores="相当于 {cores} 个核心忙碌",
    work="计算量",
    moved="读写字节数",
    stages_note="从文本输入到文本输出。实心部分是算子在运行，斜线部分是算子之间的 Python。",
    stages_caption="周期各阶段的时间、区间与占比",
    bar="时间图示",
    bar_spoken="{name}：{time} {interval}，其中算子 {operations}，Python {python}",
    in_operations="算子内部",
    operations_count="算子数",
    timeline="时间线",
    timeline_note="一次真实的运行，即最接近中位数的那一次，已扣除打点开销。下面的在上面的内部运行。",
    timeline_role="时间线",
    timeline_label="周期的时间线",
    timeline_keys="先单击图表，然后：滚轮或 + − 缩放，拖动或 Shift ← → 平移，0 显示全部。← → ↑ ↓ 逐段移动，Enter 放大当前段，/ 搜索，n 跳到下一个匹配。",
    arrangement="排列方式",
    as_it_happened="按发生顺序",
    heaviest_first="合并，最重在前",
    search="搜索算子和模块",
    zoom="缩放",
    zoom_in="放大",
    zoom_out="缩小",
    whole="全部",
    colours="颜色",
    omitted="为使页面保持小巧，{count} 个短于 {time} 的时间段未画出；它们共耗时 {total}，在所有表格中都已计入。",
    families=MappingProxyType(
        {
            "matmul": "矩阵乘法",
            "attention": "注意力、softmax",
            "norm": "归一化",
            "activation": "激活函数",
            "elementwise": "逐元素运算、归约",
            "embedding": "查表",
            "movement": "复制、视图",
            "text": "文本处理",
            "other": "其他算子",
            "python": "Python",
            "frame": "模块",
        }
    ),
    costliest_note="模型中的每个位置，各层合计。可按任意列排序。",
    costliest_links="单击名称可转到时间线中的时间段；位置则转到所画的最长一段。",
    place="位置",
    places_caption="最耗时的位置（各层同一位置合计）",
    single_operations="单个算子（逐个位置）",
    operations_caption="{all} 个算子中最耗时的 {shown} 个",
    site="所在位置",
    bytes="字节数",
    layers_note="同一堆叠中的各层工作相同；若某层不同，必有原因。虚线是各层的中位数。",
    layers_table="以表格列出所有层",
    layers_caption="每层的时间（含层内的 Python）",
    layers_caption_cut="{all} 层中最耗时的 {shown} 层（含层内的 Python）",
    layers_grouped="每根柱子是相邻 {few} 层中最重的一层",
    class_name="类",
    python_short="Python",
    layer_spoken="{name}：{time} {interval}，其中 Python {python}",
    flow="数据流",
    flow_note="每一部分交给下一部分的数据。相同的层只画一次。选择一个部分可查看其内部的算子。",
    flow_drawn="数据流图",
    flow_level="详细程度",
    flow_table="以表格列出箭头",
    flow_caption="在各部分之间传递的内存",
    flow_in="输入",
    flow_out="输出",
    flow_text="文本（UTF-8）",
    from_="从",
    to="到",
    tensors="张量",
    many_tensors="{count} 个张量",
    weights="权重 {size}",
    each_to_next="每层向下一层传递 {size}",
    outside_layers="各层之外",
    account_note="各部分测自打点的运行，总时间测自未作任何观察的运行。两者之差单列一行。",
    account_caption="墙钟时间的账目",
    method="测量方法",
    method_summary="三遍测量、各项设置以及机器当时的负载",
    passes=(
        "无插桩：完整的周期，不作任何插桩，直到中位数的区间足够窄或预算用尽。这是各部分必须加总得到的真值。",
        "轻插桩：同样的周期，在每个算子和模块的前后打点，由此得到占比。打点的开销在同一模型的微型孪生上测得并扣除。",
        "结构：一次不计时的追踪，得到算子、形状、字节数和依赖关系。",
    ),
    stamp_cost="一对打点的开销",
    stamp_cost_value="算子内 {inside}，算子外 {outside}（{how}；测于 {twin}，n = {n}）",
    plain_runs="无插桩周期数",
    light_runs="打点周期数",
    budget="时间预算",
    other_load="期间其他进程占用的核心",
    traced_on="追踪设备",
    software="软件",
    taken_at="测量时间",
    seed="随机种子",
    generation=GENERATION_ZH,
    memory=MEMORY_ZH,
    roofline=ROOFLINE_ZH,
    what_if=WHAT_IF_ZH,
    path=PATH_ZH,
    findings=FINDINGS_ZH,
    chart=ChartText(
        cycle="周期",
        python="Python",
        stage="阶段",
        module="模块",
        kind="类别",
        time="时间",
        share="占本次运行",
        starts="开始于",
        flops="计算量",
        bytes="字节数",
        found="{count} 处匹配，{time}，{share}",
        inside="{name} 的内部",
        inside_equal="{name} 的内部（{chosen} 相同）",
        flow="数据流",
        frame="模块",
        prefill="预填充",
        step="第 {k} 步",
        steps="解码步",
        folded="内部未画出，见下方说明",
    ),
    formulas=MappingProxyType(
        {
            "wall": FormulaText(
                "周期的墙钟时间",
                "n 个完整周期的中位数，从交入文本到交出结果，不作任何插桩。采用中位数，因为个别受干扰的运行不应改变结果。",
                "系统的单调时钟，以整数纳秒计",
            ),
            "interval": FormulaText(
                "基于次序统计量的 95 % 区间",
                "排序后第 k 个与第 n + 1 − k 个样本以至少 95 % 的置信度包住中位数，与分布无关：低于中位数的样本个数服从二项分布。样本少于六个时不存在这样的一对，此时不给出区间。",
                "H. A. David、H. N. Nagaraja，Order Statistics，第 3 版，2003，7.1 节",
            ),
            "minimum": FormulaText(
                "最短墙钟时间", "n 个周期中最快的一个：无干扰时机器所能达到的时间。", "与中位数相同的样本"
            ),
            "cpu": FormulaText(
                "处理器时间",
                "处理器花在本进程上的时间，所有线程合计，取各周期的中位数。除以墙钟时间即为忙碌的核心数。",
                "进程的处理器时钟",
            ),
            "stage": FormulaText(
                "阶段的时间",
                "两个打点之间的每个时隙 s 属于一个阶段。其时长 d 减去打点开销 c，再在典型运行 R（总时长处于中间一半的运行）上取平均。平均值可以加总，中位数则不能。",
                "打点的运行；cyclescope.explaining.attribution",
            ),
            "share": FormulaText("占比", "某一部分除以打点运行中所有部分之和。占比之和为 100 %。", "打点的运行"),
            "python": FormulaText(
                "算子之间的 Python",
                "从一个算子结束到下一个算子开始，减去其间的打点开销：解释器、模块自身的代码以及调度。",
                "打点的运行",
            ),
            "exemplar": FormulaText(
                "所画的运行",
                "典型运行 R 中总时长居中的那一次。它是真实的运行而非平均，所以其时间与表格略有不同。",
                "cyclescope.explaining.timeline",
            ),
            "flops": FormulaText(
                "计算量：FLOP",
                "每次乘加计为两次运算。m × k 与 k × n 的乘积需要 2mkn。注意力（b 条文本、h 个头、T 个查询、S 个键、每头维度 d）计算得分需要 2bhTSd，加权求和同样多。逐元素运算不计在内。",
                "Vaswani 等，Attention Is All You Need，2017，公式 1；形状取自追踪得到的图",
            ),
            "bytes": FormulaText(
                "读写字节数",
                "假设没有任何数据在缓存中，必须经过内存接口的字节：每个输入一次，每个输出一次。视图不搬动数据。",
                "追踪得到的图中的形状和数据类型",
            ),
            "rate": FormulaText(
                "实际速率",
                "计算量与字节数分别除以测得的时间。数据留在缓存中时，字节速率可以超过内存带宽。",
                "FLOP 与字节数取自图，时间取自打点的运行",
            ),
            "layers": FormulaText(
                "与众不同的层",
                "与中位层相差超过 15 %，且两者的区间不相交时标出。",
                "打点的运行；区间基于次序统计量",
            ),
            "edge": FormulaText(
                "箭头上的字节数",
                "由 a 部分最后写入、被 b 部分读取的内存 m；无论在那里读取多少次都只计一次，视图只计其所示的部分。",
                "cyclescope.explaining.dataflow",
            ),
            "memory-computed": FormulaText(
                "内存（计算值）",
                "始终存在的部分（权重、缓冲区、输入），加上算子 i 运行时存活的每块存储 m：从首次写入它的算子到最后接触它的算子。传给模块的数据存活到模块返回，结果存活到周期结束。视图共用同一块存储。",
                "追踪得到的图中的形状和数据类型；docs/memory.md",
            ),
            "memory-measured": FormulaText(
                "内存（实测值）",
                "在真实设备上，每块新的存储都得到一个弱引用，弱引用不会使其继续存活。在算子 i 内的每次调用 j 之后以及算子结束时，把仍然存在的存储相加；取看到最多的那一次。计时的周期从不作此观察。",
                "单独的、不计时的运行；docs/memory.md",
            ),
            "closure": FormulaText(
                "账目的闭合",
                "所有部分之和除以未插桩的墙钟时间 W。两者之差就是“未解释”一行，无论正负。不超过 W 的 3 % 时账目平衡。区间由两个中位数之比的自助法得到。",
                "B. Efron，Bootstrap Methods: Another Look at the Jackknife，1979",
            ),
            "roofline": FormulaText(
                "屋顶线",
                "算子的下限取三者中最大的：其 FLOP 数 F 除以该类型与形状的乘积上限，其字节数除以数据所在内存的带宽，以及引擎的开销。差距是超出下限的时间；下限与差距相加即为周期。比下限还快的算子按实际时间计。",
                "S. Williams、A. Waterman、D. Patterson，Roofline: An Insightful Visual Performance Model，2009",
            ),
            "what-if": FormulaText(
                "假设",
                "算子 i 的每个下限除以相应上限的倍数，开销乘以其倍数，再取最大者。保持同样的距离时，其时间与下限同比变化。文本处理保持不变。",
                "屋顶线的各列；在页面内计算",
            ),
            "critical-path": FormulaText(
                "工作量、跨度、并行度",
                "工作量是所有算子的时间，跨度是最长的算子链 P 的时间，链上每个算子都等待前一个。再多的工作者也不会快过跨度。两者都不含算子之间的 Python。",
                "R. L. Graham，Bounds on Multiprocessing Timing Anomalies，1969",
            ),
            "instrumentation": FormulaText(
                "观察的代价", "打点的周期除以无插桩的周期，未作任何扣除。", "两遍测量的中位数；自助法区间"
            ),
        }
    ),
)


def page_text(language: str) -> PageText:
    """The texts of `language`. Raises `UsageError` for one that there is none of."""
    known = {"en": _EN, "zh": _ZH}
    if language not in known:
        raise UsageError(f"There is no report in the language {language!r}.", "", "Known are en and zh.")
    return known[language]
