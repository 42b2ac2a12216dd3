"""Every fixed text of the reports, in English and in Chinese. Two values of one type, so that neither lacks a word.

Braces hold numbers and names that are filled in; numbers come from `format`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from cyclescope.core.errors import UsageError
from cyclescope.core.graph.op import OpKind
from cyclescope.explaining.explanation import WarningCode
from cyclescope.explaining.generation import Phase
from cyclescope.explaining.memory import Holding
from cyclescope.explaining.metrics.definition import MetricName, Summary, Unit

Language: TypeAlias = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence and what to do about it."""

    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Strings:
    """One language. A field is a text, or texts by a code or a name."""

    language: str
    title: str
    answer: str
    answer_without_layers: str
    take: str
    takes: str
    answer_wall_only: str
    answer_nothing: str
    partial: str
    random_weights: str
    stand_in_tokenizer: str
    synthetic_input: str
    cut_tokens: str
    # facts of the run
    model: str
    model_value: str
    weights: Mapping[str, str]
    work: str
    text_input: str
    synthetic: str
    padding: str
    plan: str
    plan_value: str
    machine: str
    machine_value: str
    virtual: str
    wall: str
    wall_value: str
    outcome: str
    # sections
    stages: str
    costliest: str
    layers: str
    account: str
    set_up: str
    doubts: str
    # columns and legends
    stage: str
    operation: str
    operations: str
    python: str
    text_work: str
    unexplained: str
    kind: str
    count: str
    time: str
    interval: str
    share: str
    share_of_wall: str
    flop_rate: str
    bandwidth: str
    layer: str
    item: str
    wall_row: str
    layers_alike: str
    layers_unlike: str
    layer_slower: str
    layer_faster: str
    layer_other_class: str
    more_places: str
    closes: str
    does_not_close: str
    instrumentation: str
    instrumentation_unseen: str
    over_attributed: str
    drift_faster: str
    # set-up
    set_up_apart: str
    import_time: str
    load_time: str
    trace_time: str
    first_cycle: str
    warm_up: str
    warm_up_value: str
    # data flow
    flow_in: str
    flow_out: str
    flow_weights: str
    flow_each: str
    flow_part: str
    stage_names: Mapping[str, str]
    kind_names: Mapping[OpKind, str]
    # a structure that was traced and not run
    flops: str
    total: str
    # the built-in models
    models_name: str
    # tokens of texts
    # text that a cycle wrote
    generation: str
    metric: str
    value: str
    undefined_metrics: str
    metrics_defined: str
    phases: str
    decode_steps: str
    decode_steps_text: str
    cache_text: str
    growth: str
    growth_slope: str
    growth_total: str
    no_growth: str
    phase_names: Mapping[Phase, str]
    # memory
    memory: str
    memory_peak: str
    held_at_peak: str
    computed: str
    measured: str
    difference: str
    memory_more: str
    memory_less: str
    memory_kept: str
    memory_cache_end: str
    memory_course: str
    memory_largest: str
    memory_held_as: str
    size: str
    memory_resident: str
    holding_names: Mapping[Holding, str]
    # definitions of metrics
    percentiles_note: str
    elsewhere: str
    tool: str
    called_there: str
    metric_names: Mapping[MetricName, str]
    summary_names: Mapping[Summary, str]
    unit_amounts: Mapping[Unit, str]
    doubt_texts: Mapping[WarningCode, Advice]
    engine_between: str = ""  # what passes between operations, within a sentence, where it is not Python


EN = Strings(
    language="en",
    title="Compute cycle of {model}",
    answer="A cycle takes {wall}: {share} of the attributed time is {stage} ({layers} layers), {kind} {take} {kind_share}, Python between operations {python_share}.",
    answer_without_layers="A cycle takes {wall}: {share} of the attributed time is {stage}, {kind} {take} {kind_share}, Python between operations {python_share}.",
    take="take",
    takes="takes",
    answer_wall_only="A cycle takes {wall}; where the time goes was not measured.",
    answer_nothing="No cycle was measured.",
    partial="The measurement was interrupted: this is what was taken until then.",
    random_weights="Weights are random: timing does not depend on their values, outputs do.",
    stand_in_tokenizer="The tokenizer is a stand-in ({tokenizer}): the time to tokenize is not that of the model's own.",
    synthetic_input="The tokens are made up to a length; no text was tokenized.",
    cut_tokens="Tokens that did not fit the model and were cut: {count}.",
    model="model",
    model_value="{reference} ({class_name}, {parameters} parameters, {weights})",
    weights=MappingProxyType(
        {"pretrained": "pretrained weights", "random": "random weights", "given": "weights as given"}
    ),
    work="input",
    text_input="{batch} × {tokens} tokens from {characters} characters",
    synthetic="{batch} × {tokens} tokens, synthetic",
    padding=", {share} padding",
    plan="plan",
    plan_value="{engine} on {device}, {dtype}, {attention} attention, threads: {threads}",
    machine="machine",
    machine_value="{processor}, cores: {cores}, {memory}",
    virtual=", virtual",
    wall="wall time",
    wall_value="{wall} (median of {n}); least {minimum}; processor time {cpu}",
    outcome="outcome",
    stages="Stages",
    costliest="Costliest operations",
    layers="Layers",
    account="Account",
    set_up="Set-up",
    doubts="Doubts",
    stage="stage",
    operation="operation",
    operations="operations",
    python="Python between operations",
    text_work="text",
    unexplained="unexplained",
    kind="kind",
    count="count",
    time="time",
    interval="95 % interval",
    share="share",
    share_of_wall="of wall",
    flop_rate="FLOP/s",
    bandwidth="bytes/s",
    layer="layer",
    item="item",
    wall_row="wall time, unprofiled",
    layers_alike="{count} layers alike: median {median}, from {low} to {high}",
    layers_unlike="{count} layers: median {median}, from {low} to {high}",
    layer_slower="{stage} {layer} takes {factor} times as long as the median layer ({time})",
    layer_faster="{stage} {layer} takes only {factor} of the time of the median layer ({time})",
    layer_other_class="{stage} {layer} is a {class_name}, most are {usual} ({time})",
    more_places="Everything else ({count} places) takes {share}.",
    closes="The account closes: {ratio} of the unprofiled wall time is attributed, {rest} ({share}) is unexplained.",
    does_not_close="The account does not close: {ratio} of the unprofiled wall time is attributed, {rest} ({share}) is unexplained.",
    instrumentation_unseen="Stamped cycles were not longer than plain ones; {cost} for the stamps is subtracted all the same.",
    drift_faster="Give it more time: it was still warming up, or something else stopped running meanwhile.",
    over_attributed="The stamped cycles give {share} more than the wall time of the plain ones.",
    instrumentation="Stamping makes the cycle {ratio} times as long; {cost} of it is known and subtracted.",
    set_up_apart="Paid once, not part of the cycle.",
    import_time="import",
    load_time="load the model",
    trace_time="trace the graph",
    first_cycle="first cycle",
    warm_up="warm-up",
    warm_up_value="{time} (cycles: {cycles})",
    flow_in="in",
    flow_out="out",
    flow_weights="{data} weights",
    flow_each="{work} each",
    flow_part="part of {tensor}",
    stage_names=MappingProxyType({"decode": "decoder"}),  # decode alone is a phase of a generation
    kind_names=MappingProxyType(
        {
            OpKind.MATMUL: "matrix products",
            OpKind.ATTENTION: "fused attention",
            OpKind.CONVOLUTION: "convolutions",
            OpKind.SOFTMAX: "softmax",
            OpKind.NORM: "normalisations",
            OpKind.ACTIVATION: "activations",
            OpKind.ELEMENTWISE: "elementwise operations",
            OpKind.REDUCTION: "reductions",
            OpKind.EMBEDDING: "table look-ups",
            OpKind.COPY: "copies",
            OpKind.VIEW: "views",
            OpKind.FFT: "Fourier transforms",
            OpKind.SCAN: "scans",
            OpKind.TEXT: "text operations",
            OpKind.OTHER: "other operations",
        }
    ),
    flops="FLOPs",
    total="total",
    models_name="name",
    generation="Generation",
    metric="metric",
    value="value",
    undefined_metrics="Undefined at this number of tokens ({tokens}): {names}.",
    metrics_defined="Of the unprofiled cycles. What each means, and what other tools mean by it: cyclescope define NAME",
    phases="Phases",
    decode_steps="Decode steps",
    decode_steps_text="{count} decode steps: median {median}, from {low} to {high}; of it choosing the token {sample}, Python between operations {python}",
    cache_text="The first decode step reads {first} that earlier steps left behind (the cache), the last {last}.",
    growth="What grows from step to step",
    growth_slope="per 1000 positions",
    growth_total="in this run",
    no_growth="Nothing grows beyond what the measurement varies by.",
    phase_names=MappingProxyType(
        {
            Phase.TOKENIZE: "tokenize",
            Phase.PREPARE: "prepare",
            Phase.ENCODE: "encode",
            Phase.PREFILL: "prefill",
            Phase.DECODE: "decode",
            Phase.READ_OUT: "read out",
        }
    ),
    memory="Memory",
    memory_peak="At most {total} are held at once: {weights} of weights, {passing} of activations and cache. The peak is in {place}. Were everything freed right after its last use, activations and cache would peak at {needed}.",
    held_at_peak="held at the peak",
    computed="computed",
    measured="measured",
    difference="difference",
    memory_more="The peak of activations and cache is {difference} above the computed one: Python variables and the model's result keep tensors beyond their last use, and operations need working memory inside.",
    memory_less="The peak of activations and cache is {difference} below the computed one: the model lets go of tensors before the module that was given them returns.",
    memory_kept="{kept} more than computed is still there at the end of the cycle: the model hands it back and no operation reads it again.",
    memory_cache_end="At the end the cache takes {computed} as computed, {measured} as measured.",
    memory_course="activations and cache over {operations} operations: at most {most}, in {place}",
    memory_largest="largest at the peak, by the operation that made it",
    memory_held_as="held as",
    size="size",
    memory_resident="The process takes {before} of main memory before a cycle and {peak} at its peak, {growth} more; besides what the model holds, that is Python, the libraries and their working memory.",
    holding_names=MappingProxyType(
        {
            Holding.WEIGHTS: "weights",
            Holding.BUFFERS: "buffers",
            Holding.INPUTS: "inputs",
            Holding.ACTIVATIONS: "activations",
            Holding.CACHE: "KV cache and other state",
        }
    ),
    percentiles_note="A percentile is told only where one sample is likely to lie beyond it: the median from {p50} samples, p90 from {p90}, p99 from {p99}.",
    elsewhere="The same name elsewhere",
    tool="tool",
    called_there="calls it",
    metric_names=MappingProxyType(
        {
            MetricName.TTFT: "time to first token",
            MetricName.PREFILL: "prefill",
            MetricName.PREFILL_THROUGHPUT: "prefill throughput",
            MetricName.PREFILL_SEQUENCES: "prefill sequences",
            MetricName.TPOT: "time per output token",
            MetricName.ITL: "inter-token latency",
            MetricName.GROWTH: "growth of a step",
            MetricName.E2E: "end to end",
            MetricName.DECODE_THROUGHPUT: "decode throughput",
            MetricName.THROUGHPUT: "output throughput",
            MetricName.TOTAL_THROUGHPUT: "total throughput",
        }
    ),
    summary_names=MappingProxyType(
        {Summary.MEDIAN: "median", Summary.SLOPE: "slope by Theil and Sen: the median of the slopes between all pairs"}
    ),
    unit_amounts=MappingProxyType(
        {
            Unit.TOKENS_PER_S: "{value} tokens/s",
            Unit.SEQUENCES_PER_S: "{value} sequences/s",
            Unit.NS_PER_1000_POSITIONS: "{value} per 1000 positions",
        }
    ),
    doubt_texts=MappingProxyType(
        {
            WarningCode.PARTIAL: Advice("Interrupted; cycles measured until then: {cycles}.", "Let it run to its end."),
            WarningCode.NO_INTERVAL: Advice(
                "There are too few repeats for an interval of the median ({cycles}).",
                "Give it more time, such as --budget 30s.",
            ),
            WarningCode.FEW_REPEATS: Advice(
                "The interval of the median is wide (half of it is {share} of the median).",
                "Give it more time, such as --budget 30s.",
            ),
            WarningCode.NOT_STEADY: Advice(
                "No steady state at the end of the warm-up (cycles: {cycles}).",
                "Give it more time, or look for what else is running.",
            ),
            WarningCode.DRIFT: Advice(
                "The cycle changed by {share} from the first third of the repeats to the last.",
                "Measure again on a machine at rest; a hot processor slows down.",
            ),
            WarningCode.OTHER_LOAD: Advice(
                "Other processes used {share} of the cores.",
                "Stop them, leave them a core (--threads), or trust the least time.",
            ),
            WarningCode.THROTTLED: Advice(
                "A limit on this container held the process back for {time}.",
                "Raise the container's processor limit, or use fewer threads.",
            ),
            WarningCode.SWAPPED: Advice("The machine swapped.", "Free memory, or use a smaller batch or model."),
            WarningCode.OPEN_ACCOUNT: Advice(
                "{share} of the wall time is not accounted for.",
                "Measure again at rest; if it stays, report it with the saved run.",
            ),
            WarningCode.NO_CALIBRATION: Advice(
                "The cost of the stamps is not known and not subtracted.",
                "Take the shares with care; the wall time is untouched.",
            ),
            WarningCode.NO_INSTRUMENTED_RUN: Advice(
                "Nothing was stamped, so the wall time is all there is.", "Let it run to its end."
            ),
        }
    ),
)

ZH = Strings(
    language="zh",
    title="{model} 的计算周期",
    answer="一个周期耗时 {wall}：在已入账的时间里，{stage}（{layers} 层）占 {share}，{kind}{take} {kind_share}，算子之间的 Python 占 {python_share}。",
    answer_without_layers="一个周期耗时 {wall}：在已入账的时间里，{stage}占 {share}，{kind}{take} {kind_share}，算子之间的 Python 占 {python_share}。",
    take="占",
    takes="占",
    answer_wall_only="一个周期耗时 {wall}；没有测量时间花在哪里。",
    answer_nothing="没有测到任何周期。",
    partial="测量被中断：以下是中断之前的结果。",
    random_weights="权重是随机的：耗时与权重的数值无关，输出则有关。",
    stand_in_tokenizer="分词器是替代品（{tokenizer}）：分词耗时不代表模型自带的分词器。",
    synthetic_input="词元按长度生成，没有对文本分词。",
    cut_tokens="有 {count} 个词元超出模型长度，已被截去。",
    model="模型",
    model_value="{reference}（{class_name}，{parameters} 个参数，{weights}）",
    weights=MappingProxyType({"pretrained": "预训练权重", "random": "随机权重", "given": "用户给定的权重"}),
    work="输入",
    text_input="{batch} × {tokens} 个词元，来自 {characters} 个字符",
    synthetic="{batch} × {tokens} 个词元，合成输入",
    padding="，其中填充 {share}",
    plan="运行方式",
    plan_value="{engine}，{device}，{threads} 线程，{dtype}，{attention} 注意力",
    machine="机器",
    machine_value="{processor}，{cores} 核，{memory}",
    virtual="，虚拟机",
    wall="墙钟时间",
    wall_value="{wall}（{n} 次的中位数）；最短 {minimum}；处理器时间 {cpu}",
    outcome="输出",
    stages="阶段",
    costliest="最耗时的算子",
    layers="层",
    account="时间账",
    set_up="准备",
    doubts="疑点",
    stage="阶段",
    operation="算子",
    operations="算子",
    python="算子之间的 Python",
    text_work="文本处理",
    unexplained="未解释",
    kind="类别",
    count="次数",
    time="时间",
    interval="95 % 区间",
    share="占比",
    share_of_wall="占墙钟",
    flop_rate="FLOP/s",
    bandwidth="字节/s",
    layer="层",
    item="项目",
    wall_row="墙钟时间（未插桩）",
    layers_alike="{count} 层相近：中位数 {median}，从 {low} 到 {high}",
    layers_unlike="{count} 层：中位数 {median}，从 {low} 到 {high}",
    layer_slower="{stage}第 {layer} 层的耗时是中位层的 {factor} 倍（{time}）",
    layer_faster="{stage}第 {layer} 层的耗时只有中位层的 {factor} 倍（{time}）",
    layer_other_class="{stage}第 {layer} 层是 {class_name}，多数层是 {usual}（{time}）",
    more_places="其余 {count} 处合计占 {share}。",
    closes="账目平衡：归因时间是未插桩墙钟时间的 {ratio}，未解释 {rest}（{share}）。",
    does_not_close="账目不平：归因时间是未插桩墙钟时间的 {ratio}，未解释 {rest}（{share}）。",
    instrumentation_unseen="打点的周期并不比普通周期更长；打点的开销 {cost} 仍已扣除。",
    drift_faster="请给它更多时间：当时仍在预热，或其间有别的程序停止了运行。",
    over_attributed="打点周期的入账时间比普通周期的墙钟时间多 {share}。",
    instrumentation="打点使周期变为原来的 {ratio} 倍；其中 {cost} 已知并已扣除。",
    set_up_apart="只付一次，不计入周期。",
    import_time="导入",
    load_time="载入模型",
    trace_time="追踪计算图",
    first_cycle="首个周期",
    warm_up="预热",
    warm_up_value="{time}，{cycles} 个周期",
    flow_in="输入",
    flow_out="输出",
    flow_weights="权重 {data}",
    flow_each="每层 {work}",
    flow_part="{tensor} 的一部分",
    stage_names=MappingProxyType(
        {
            "tokenize": "分词",
            "prepare": "准备",
            "sample": "选词",
            "embed": "嵌入",
            "encode": "编码",
            "decode": "解码层",
            "head": "输出头",
            "read out": "读出",
            "model": "模型",
        }
    ),
    kind_names=MappingProxyType(
        {
            OpKind.MATMUL: "矩阵乘法",
            OpKind.ATTENTION: "融合注意力",
            OpKind.CONVOLUTION: "卷积",
            OpKind.SOFTMAX: "softmax",
            OpKind.NORM: "归一化",
            OpKind.ACTIVATION: "激活函数",
            OpKind.ELEMENTWISE: "逐元素运算",
            OpKind.REDUCTION: "归约",
            OpKind.EMBEDDING: "查表",
            OpKind.COPY: "复制",
            OpKind.VIEW: "视图",
            OpKind.FFT: "傅里叶变换",
            OpKind.SCAN: "扫描",
            OpKind.TEXT: "文本处理",
            OpKind.OTHER: "其他算子",
        }
    ),
    flops="FLOPs",
    total="合计",
    models_name="名称",
    generation="文本生成",
    metric="指标",
    value="数值",
    undefined_metrics="每次运行只有 {tokens} 个词元，以下指标无定义：{names}。",
    metrics_defined="以上取自未打点的周期。各指标的定义，以及其他工具如何定义：cyclescope define 名称",
    phases="时段划分",
    decode_steps="解码步",
    decode_steps_text="{count} 个解码步：中位数 {median}，从 {low} 到 {high}；其中选取词元占 {sample}，算子之间的 Python 占 {python}",
    cache_text="第一个解码步读取此前各步留下的数据（缓存）{first}，最后一步读取 {last}。",
    growth="逐步增长的部分",
    growth_slope="每 1000 个位置",
    growth_total="本次共增长",
    no_growth="没有超出测量波动的增长。",
    phase_names=MappingProxyType(
        {
            Phase.TOKENIZE: "分词",
            Phase.PREPARE: "准备",
            Phase.ENCODE: "编码",
            Phase.PREFILL: "预填充",
            Phase.DECODE: "解码",
            Phase.READ_OUT: "读出",
        }
    ),
    memory="内存",
    memory_peak="同时最多占用 {total}：其中权重 {weights}，激活值与缓存 {passing}。峰值出现在 {place}。若最后一次使用后立即释放，激活值与缓存的峰值为 {needed}。",
    held_at_peak="峰值时占用",
    computed="计算值",
    measured="实测值",
    difference="差值",
    memory_more="激活值与缓存的峰值比计算值高 {difference}：Python 变量和模型的返回值使张量在最后一次使用之后仍被保留，算子内部也需要工作内存。",
    memory_less="激活值与缓存的峰值比计算值低 {difference}：模型在接收张量的模块返回之前就已将其释放。",
    memory_kept="周期结束时仍比计算值多 {kept}：由模型返回而不再有算子读取。",
    memory_cache_end="结束时缓存的计算值为 {computed}，实测值为 {measured}。",
    memory_course="{operations} 个算子期间的激活值与缓存：最多 {most}，出现在 {place}",
    memory_largest="峰值时最大的几块，按生成它的算子",
    memory_held_as="用途",
    size="大小",
    memory_resident="进程在一个周期之前占用主存 {before}，周期中峰值为 {peak}，多 {growth}；除模型所占用的之外，还包括 Python、各个库及其工作内存。",
    holding_names=MappingProxyType(
        {
            Holding.WEIGHTS: "权重",
            Holding.BUFFERS: "缓冲区",
            Holding.INPUTS: "输入",
            Holding.ACTIVATIONS: "激活值",
            Holding.CACHE: "KV 缓存及其他状态",
        }
    ),
    percentiles_note="只有很可能有样本超出某百分位时才给出它：中位数需 {p50} 个样本，p90 需 {p90} 个，p99 需 {p99} 个。",
    elsewhere="其他工具的同名指标",
    tool="工具",
    called_there="名称",
    metric_names=MappingProxyType(
        {
            MetricName.TTFT: "首词元时间",
            MetricName.PREFILL: "预填充时间",
            MetricName.PREFILL_THROUGHPUT: "预填充吞吐",
            MetricName.PREFILL_SEQUENCES: "预填充序列吞吐",
            MetricName.TPOT: "每词元时间",
            MetricName.ITL: "词元间隔",
            MetricName.GROWTH: "步长增长",
            MetricName.E2E: "端到端时间",
            MetricName.DECODE_THROUGHPUT: "解码吞吐",
            MetricName.THROUGHPUT: "输出吞吐",
            MetricName.TOTAL_THROUGHPUT: "总吞吐",
        }
    ),
    summary_names=MappingProxyType({Summary.MEDIAN: "中位数", Summary.SLOPE: "Theil–Sen 斜率：所有点对斜率的中位数"}),
    unit_amounts=MappingProxyType(
        {
            Unit.TOKENS_PER_S: "{value} 词元/秒",
            Unit.SEQUENCES_PER_S: "{value} 序列/秒",
            Unit.NS_PER_1000_POSITIONS: "每 1000 个位置 {value}",
        }
    ),
    doubt_texts=MappingProxyType(
        {
            WarningCode.PARTIAL: Advice("测了 {cycles} 个周期后被中断。", "请让它运行到结束。"),
            WarningCode.NO_INTERVAL: Advice(
                "重复次数太少（{cycles} 次），给不出中位数的区间。", "给它更多时间，例如 --budget 30s。"
            ),
            WarningCode.FEW_REPEATS: Advice(
                "中位数的区间偏宽（半宽为中位数的 {share}）。", "给它更多时间，例如 --budget 30s。"
            ),
            WarningCode.NOT_STEADY: Advice(
                "预热 {cycles} 个周期后仍未进入稳态。", "给它更多时间，或检查有什么别的程序在运行。"
            ),
            WarningCode.DRIFT: Advice(
                "从前三分之一到后三分之一，周期变化了 {share}。", "请在空闲的机器上重测；处理器过热会降频。"
            ),
            WarningCode.OTHER_LOAD: Advice(
                "其他进程占用了 {share} 的核心。", "停掉它们，给它们留一个核心（--threads），或以最短时间为准。"
            ),
            WarningCode.THROTTLED: Advice("容器的限额使本进程停顿了 {time}。", "提高容器的处理器限额，或减少线程数。"),
            WarningCode.SWAPPED: Advice("机器发生了内存交换。", "释放内存，或使用更小的批量或模型。"),
            WarningCode.OPEN_ACCOUNT: Advice(
                "墙钟时间中有 {share} 未能入账。", "请在空闲时重测；如仍如此，请附上保存的运行文件报告问题。"
            ),
            WarningCode.NO_CALIBRATION: Advice("打点的开销未知，没有扣除。", "占比仅供参考；墙钟时间不受影响。"),
            WarningCode.NO_INSTRUMENTED_RUN: Advice("没有打点，只有墙钟时间。", "请让它运行到结束。"),
        }
    ),
)


def strings(language: str) -> Strings:
    """The texts of `language`. Raises `UsageError` for one that there is none of."""
    for candidate in (EN, ZH):
        if candidate.language == language:
            return candidate
    raise UsageError(f"There is no report in the language {language!r}.", "", "Known are en and zh.")
