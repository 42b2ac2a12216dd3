"""Texts of the comparison of two cycles, in English and in Chinese; what it shares with the cycle's page is in `strings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclescope.core.errors import UsageError
from cyclescope.explaining.comparison import Aspect, Limit, Why


@dataclass(frozen=True, slots=True)
class ComparisonText:
    """One language. Braces are filled in by `comparison` and `html_comparison`."""

    language: str
    title: str
    title_ways: str
    separator: str
    slower: str
    faster: str
    no_verdict: Mapping[Why, str]
    limit: Mapping[Limit, str]
    wall: str
    ratio: str
    ratio_value: str
    threshold: str
    threshold_value: str
    how: str
    in_turns: str
    turns: str
    apart: str
    apart_note: str
    apart_remedy: str
    no_parts: str
    differences: str
    no_differences: str
    aspect: str
    aspects: Mapping[Aspect, str]
    package: str
    stages: str
    layers: str
    kinds: str
    operations: str
    part: str
    change: str
    only_a: str
    only_b: str
    renamed: str
    layer: str
    outside_layers: str
    layers_changed: str
    layers_same: str
    layers_few: str
    more_places: str
    attributed: str
    parts_note: str
    # the page
    brand: str
    skip: str
    contents: str
    verdict: str
    scale: str
    scale_spoken: str
    drawn: str
    footer: str


EN = ComparisonText(
    language="en",
    title="{a} (A) and {b} (B)",
    title_ways="{model}: {a} (A) and {b} (B)",
    separator=", ",
    slower="B is slower than A: {b} instead of {a}, {ratio} times the time.",
    faster="B is faster than A: {b} instead of {a}, {ratio} times the time.",
    no_verdict=MappingProxyType(
        {
            Why.SAME: "No difference that reaches {threshold}: B takes {ratio} times the time of A.",
            Why.OPEN: "Inconclusive: B takes {ratio} times the time of A, which leaves open whether it differs by {threshold}.",
            Why.TOO_FEW: "Inconclusive: {n} samples or rounds are too few for an interval. B takes {ratio} times the time of A.",
            Why.LOADED: "Inconclusive: others used the cores meanwhile, and a difference could be theirs. B took {ratio} times the time of A.",
            Why.NOISY: "Inconclusive: when this machine was calibrated, the same differed from the same by ±{noise}, so no difference can be told. B takes {ratio} times the time of A. Calibrate again at rest (`cyclescope calibrate`), or say what counts as a difference (--threshold).",
        }
    ),
    limit=MappingProxyType(
        {
            Limit.KEPT: "The limit is kept: B is not slower than A by more than {limit}.",
            Limit.EXCEEDED: "The limit is exceeded: B is slower than A by more than {limit}.",
            Limit.UNKNOWN: "Whether the limit is kept is unknown: the interval leaves open whether B is slower than A by more than {limit}.",
        }
    ),
    wall="wall {letter}",
    ratio="B ÷ A",
    ratio_value="{ratio}, {confidence} interval",
    threshold="threshold",
    threshold_value="{threshold}; the whole interval must lie beyond it",
    how="measured",
    in_turns="in turns, A B B A, {n} rounds: drift of the machine cancels",
    turns="; a turn holds {a} × A or {b} × B, more of what is shorter",
    apart="apart; the interval is widened by {between} for what differs from run to run",
    apart_note="A and B were not measured in turns. What the machine did in between looks like a difference between them.",
    apart_remedy="For small differences name both models, not files: then they are measured in turns.",
    no_parts="One of the two has no stamped run, so there is nothing to say about parts.",
    differences="What is not the same",
    no_differences="Nothing but the times differs: same model, input, plan, machine and versions.",
    aspect="what",
    aspects=MappingProxyType(
        {
            Aspect.MODEL: "model",
            Aspect.WEIGHTS: "weights",
            Aspect.TASK: "task",
            Aspect.BATCH: "batch",
            Aspect.TOKENS_IN: "tokens in",
            Aspect.CHARACTERS: "characters",
            Aspect.ENGINE: "engine",
            Aspect.DEVICE: "device",
            Aspect.THREADS: "threads",
            Aspect.DTYPE: "dtype",
            Aspect.ATTENTION: "attention",
            Aspect.SEED: "seed",
            Aspect.CACHE: "cache",
            Aspect.DECODING: "sampling",
            Aspect.COMPILING: "compiling",
            Aspect.QUANTIZATION: "quantization",
            Aspect.CHANGES: "changes of the model",
            Aspect.THREADS_BETWEEN: "threads between operations",
            Aspect.INSTANCES: "instances",
            Aspect.CALL_BATCH: "texts in one call",
            Aspect.BATCHING: "batching",
            Aspect.DRAFTING: "drafting",
            Aspect.OVERLAP: "tokenizing meanwhile",
            Aspect.PROCESSOR: "processor",
            Aspect.CORES: "cores",
            Aspect.SYSTEM: "system",
            Aspect.PYTHON: "Python",
            Aspect.PACKAGE: "package",
            Aspect.VERSION: "cyclescope",
            Aspect.SOURCE: "source",
        }
    ),
    package="package {name}",
    stages="Stages",
    layers="Layers",
    kinds="Kinds of work",
    operations="Largest changes by place",
    part="part",
    change="B − A",
    only_a="only in A",
    only_b="only in B",
    renamed="{a} → {b}",
    layer="{stage} {layer}",
    outside_layers="{stage}, outside of layers",
    layers_changed="{changed} of {count} layers changed beyond their intervals; the largest changes:",
    layers_same="None of {count} layers changed beyond its interval; the largest changes:",
    layers_few="Too few cycles to tell which of {count} layers changed; the largest changes:",
    more_places="{count} more places change by {change} together.",
    attributed="all attributed time",
    parts_note="Parts come from stamped runs; what stamping costs is subtracted. In each table the changes add up to that of all attributed time.",
    brand="two compute cycles",
    skip="Skip to the verdict",
    contents="Contents",
    verdict="Verdict",
    scale="B ÷ A with its interval; the band is the threshold",
    scale_spoken="B ÷ A is {ratio}; the threshold is {threshold}.",
    drawn="less ◂ B − A ▸ more",
    footer="cyclescope {version}; A taken {a}, B taken {b}.",
)

ZH = ComparisonText(
    language="zh",
    title="{a}（A）与 {b}（B）",
    title_ways="{model}：{a}（A）与 {b}（B）",
    separator="、",
    slower="B 比 A 慢：{b}，而 A 为 {a}，用时为 A 的 {ratio} 倍。",
    faster="B 比 A 快：{b}，而 A 为 {a}，用时为 A 的 {ratio} 倍。",
    no_verdict=MappingProxyType(
        {
            Why.SAME: "没有达到 {threshold} 的差异：B 用时为 A 的 {ratio} 倍。",
            Why.OPEN: "无法定论：B 用时为 A 的 {ratio} 倍，区间不能确定差异是否达到 {threshold}。",
            Why.TOO_FEW: "无法定论：只有 {n} 个样本或轮次，不足以得出区间。B 用时为 A 的 {ratio} 倍。",
            Why.LOADED: "无法定论：测量期间其他进程占用了核心，差异可能由其造成。B 用时为 A 的 {ratio} 倍。",
            Why.NOISY: "无法定论：校准本机时，同一工作与自身相差 ±{noise}，因而分辨不出差异。B 用时为 A 的 {ratio} 倍。请在机器空闲时重新校准（`cyclescope calibrate`），或指明多大算差异（--threshold）。",
        }
    ),
    limit=MappingProxyType(
        {
            Limit.KEPT: "未超出限度：B 比 A 慢不超过 {limit}。",
            Limit.EXCEEDED: "超出限度：B 比 A 慢超过 {limit}。",
            Limit.UNKNOWN: "是否超出限度未知：区间不能确定 B 是否比 A 慢超过 {limit}。",
        }
    ),
    wall="墙钟时间 {letter}",
    ratio="B ÷ A（比值）",
    ratio_value="{ratio}，{confidence} 区间",
    threshold="阈值",
    threshold_value="{threshold}；整个区间须在其外",
    how="测量方式",
    in_turns="轮流测量，A B B A，{n} 轮：机器的漂移相互抵消",
    turns="；每次轮到时 A 连跑 {a} 次或 B 连跑 {b} 次，短者多跑",
    apart="分别测量；区间因各次运行之间的差异加宽 {between}",
    apart_note="A 与 B 不是轮流测量的。机器在两次测量之间的变化看起来就像两者的差异。",
    apart_remedy="要看清小的差异，请给出两个模型而不是文件：这样会轮流测量。",
    no_parts="其中一个没有打点运行，因此无法说明各部分。",
    differences="有何不同",
    no_differences="除时间外没有不同：模型、输入、方案、机器和版本都相同。",
    aspect="项目",
    aspects=MappingProxyType(
        {
            Aspect.MODEL: "模型",
            Aspect.WEIGHTS: "权重",
            Aspect.TASK: "任务",
            Aspect.BATCH: "批大小",
            Aspect.TOKENS_IN: "输入词元",
            Aspect.CHARACTERS: "字符",
            Aspect.ENGINE: "引擎",
            Aspect.DEVICE: "设备",
            Aspect.THREADS: "线程",
            Aspect.DTYPE: "数据类型",
            Aspect.ATTENTION: "注意力",
            Aspect.SEED: "随机种子",
            Aspect.CACHE: "缓存",
            Aspect.DECODING: "选词方式",
            Aspect.COMPILING: "编译",
            Aspect.QUANTIZATION: "量化",
            Aspect.CHANGES: "对模型的改动",
            Aspect.THREADS_BETWEEN: "算子间线程",
            Aspect.INSTANCES: "实例数",
            Aspect.CALL_BATCH: "每次调用的文本数",
            Aspect.BATCHING: "组批方式",
            Aspect.DRAFTING: "草稿方式",
            Aspect.OVERLAP: "同时分词",
            Aspect.PROCESSOR: "处理器",
            Aspect.CORES: "核心",
            Aspect.SYSTEM: "系统",
            Aspect.PYTHON: "Python 版本",
            Aspect.PACKAGE: "软件包",
            Aspect.VERSION: "cyclescope 版本",
            Aspect.SOURCE: "来源",
        }
    ),
    package="软件包 {name}",
    stages="阶段",
    layers="层",
    kinds="运算种类",
    operations="变化最大的位置",
    part="部分",
    change="B − A（差）",
    only_a="仅在 A",
    only_b="仅在 B",
    renamed="{a} → {b}（改名）",
    layer="{stage} 第 {layer} 层",
    outside_layers="{stage}，层以外",
    layers_changed="{count} 层中有 {changed} 层的变化超出区间；变化最大的：",
    layers_same="{count} 层中没有一层的变化超出区间；变化最大的：",
    layers_few="周期太少，看不出 {count} 层中哪些变了；变化最大的：",
    more_places="其余 {count} 处共变化 {change}。",
    attributed="全部已归属的时间",
    parts_note="各部分来自打点运行，已减去打点的代价。每张表中的变化之和等于全部已归属时间的变化。",
    brand="两个计算周期",
    skip="跳到结论",
    contents="目录",
    verdict="结论",
    scale="B ÷ A 及其区间；色带为阈值",
    scale_spoken="B ÷ A 为 {ratio}；阈值为 {threshold}。",
    drawn="减少 ◂ B − A ▸ 增加",
    footer="cyclescope {version}；A 测于 {a}，B 测于 {b}。",
)


def comparison_text(language: str) -> ComparisonText:
    """The texts of `language` (`en` or `zh`). Raises `UsageError` for another."""
    for texts in (EN, ZH):
        if texts.language == language:
            return texts
    raise UsageError(f"There are no texts in {language!r}.", "", "Known are en and zh.")
