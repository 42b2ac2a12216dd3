"""The words of findings, in English and in Chinese.

Claims and remedies are filled in with `share`, `subject`, `place`, and the numbers of the evidence by their names (`of-ceiling`
is `of_ceiling`). What a claim says itself, the evidence beside it does not say again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from cyclescope.explaining.findings.finding import EvidenceName, FindingCode
from cyclescope.report.words.strings import Advice, Strings

_F, _E = FindingCode, EvidenceName


@dataclass(frozen=True, slots=True)
class FindingText:
    """One language. `gain` and `where` stand behind the remedy and the evidence; `evidence` has a text with `{value}` each.
    `compute_uncalibrated` and `waiting_threads` are said where there is no ceiling, and where threads for all cores wait.
    """

    title: str
    findings: Mapping[FindingCode, Advice]
    compute_uncalibrated: str
    waiting_threads: Advice
    evidence: Mapping[EvidenceName, str]
    separator: str
    stop: str
    space: str
    where: str
    gain: str


EN = FindingText(
    title="What holds it up",
    findings=MappingProxyType(
        {
            _F.LAUNCH_BOUND: Advice(
                "{share} of the cycle the device waits for the host to launch its work.",
                "Compile the graph or launch it as a whole (torch.compile with mode='reduce-overhead', CUDA graphs), or let each launch do more with a larger batch.",
            ),
            _F.DISPATCH_BOUND: Advice(
                "{share} of the cycle is dispatch: Python between operations, and operations too small for their work to count.",
                "Compile the graph (torch.compile, ONNX Runtime, OpenVINO), or give each operation more to do with a larger batch.",
            ),
            _F.MEMORY_BOUND_DECODE: Advice(
                "{share} of the cycle is decode steps waiting for memory: weights and cache are read again for every token.",
                "Use weights of fewer bits, write more sequences at a time, or several tokens a step (speculative decoding).",
            ),
            _F.COMPUTE_BOUND: Advice(
                "{share} of the cycle is matrix products bound by compute, at {of_ceiling} of their ceiling.",
                "Use lower precision where this machine computes it in hardware, a smaller model, or fewer tokens.",
            ),
            _F.SCALAR_ACTIVATION: Advice(
                "{share} of the cycle is {subject}: {times_floor} the time of one pass over its values.",
                "Try another form of the function in one operation: which of the exact, the tanh and the sigmoid form is vectorized depends on engine and processor.",
            ),
            _F.PRODUCT_TRAFFIC: Advice(
                "{share} of the cycle is traffic around matrix products: copies, changes of layout, biases added apart.",
                "Hand products the layout that they read, put biases into them (linear, addmm), or compile the graph.",
            ),
            _F.PADDING: Advice(
                "{padded} of the tokens are padding; the work on them is {share} of the cycle.",
                "Put texts of like length into one batch, pad to its longest only, or pack texts without padding.",
            ),
            _F.SLOW_TOKENIZER: Advice(
                "{share} of the cycle is the tokenizer ({subject}).",
                "Use a compiled (fast) tokenizer, tokenize in batches, or ahead of time while the model computes.",
            ),
            _F.UNFUSED_ATTENTION: Advice(
                "{share} of the cycle is attention spelled out, with the scores written to memory and read again.",
                "Use fused attention where the model has it: --attention sdpa.",
            ),
            _F.CACHE_REALLOCATION: Advice(
                "{share} of the cycle copies the growing cache, the whole of it in every decode step.",
                "Use a cache of full length that is written in place: --cache static.",
            ),
            _F.OVERSUBSCRIPTION: Advice(
                "{threads} threads share {cores} cores, in operations that are {share} of the cycle.",
                "Use --threads {cores}, and count every pool and process beside it (OMP_NUM_THREADS).",
            ),
            _F.IDLE_CORES: Advice(
                "{share} of the cycle is large matrix products that leave cores idle.",
                "Use --threads {cores}, or a process for each core with texts of its own.",
            ),
            _F.UNLIKE_LAYER: Advice(
                "{place} takes {factor} the time of the median layer of its stack.",
                "See what this layer ({subject}) does that the others do not: another class, a hook, other shapes.",
            ),
            _F.FIRST_CALL: Advice(
                "The first cycle takes {times_steady} the time of the ones after the warm-up.",
                "Run a cycle before the first request comes, and keep the process alive.",
            ),
            _F.NOISE: Advice(
                "This machine is restless: small differences mean nothing here.",
                "Stop other work, give it more time (such as --budget 60s), and compare interleaved.",
            ),
        }
    ),
    compute_uncalibrated=(
        "{share} of the cycle is matrix products that compute; how near they are to their ceiling, "
        "`cyclescope calibrate` finds out."
    ),
    waiting_threads=Advice(
        "{share} of the cycle is large matrix products whose threads wait: {busy} of {cores} cores are busy in them.",
        "Give them more to split (a larger batch), look for a limit on the container or OMP_NUM_THREADS, or run a process for each core.",
    ),
    evidence=MappingProxyType(
        {
            _E.PYTHON: "Python {value}",
            _E.SMALL: "small operations {value}",
            _E.OPERATIONS: "operations: {value}",
            _E.MEAN_GAP: "{value} of Python an operation",
            _E.MEAN_TIME: "{value} each",
            _E.TIME: "{value} in all",
            _E.OF_DECODE: "{value} of the decode steps",
            _E.BYTES_A_STEP: "{value} a step",
            _E.MOVED: "{value} moved",
            _E.REACHED_BANDWIDTH: "{value} reached",
            _E.BANDWIDTH_CEILING: "ceiling {value}",
            _E.USUAL_BANDWIDTH: "elementwise operations of this cycle reach {value}",
            _E.REACHED_FLOPS: "{value} reached",
            _E.FLOPS_CEILING: "ceiling {value}",
            _E.OF_CEILING: "{value} of the ceiling",
            _E.TIMES_FLOOR: "{value} of one pass",
            _E.COPIES: "copies {value}",
            _E.BIASES: "biases {value}",
            _E.PADDED: "padding {value}",
            _E.REAL_TOKENS: "tokens of text: {value}",
            _E.LONGEST: "longest text: {value}",
            _E.A_TOKEN: "{value} a token",
            _E.SCORES: "scores of {value}",
            _E.BETWEEN: "passes between the products {value}",
            _E.LAST_STEP: "{value} in the last step",
            _E.THREADS: "threads: {value}",
            _E.CORES: "cores: {value}",
            _E.BUSY: "cores busy: {value}",
            _E.EXCESS: "{value} more than the median layer",
            _E.FACTOR: "{value} of the median layer",
            _E.AT_OPERATION: "{value} of it at one operation",
            _E.STARVED: "reaching an idle device: {value}",
            _E.MEAN_WAIT: "waiting {value} each",
            _E.HOST_WAITS: "operations that the host waits in: {value}",
            _E.FIRST: "first {value}",
            _E.STEADY: "later {value}",
            _E.TIMES_STEADY: "{value} of a later one",
            _E.HALF_WIDTH: "median known to ±{value}",
            _E.OTHER_LOAD: "other work on {value} of the cores",
            _E.NO_DIFFERENCE: "the same cycle twice differs by up to {value}",
        }
    ),
    separator=", ",
    stop=".",
    space=" ",
    where="Most at {place}.",
    gain="At most {gain} of the cycle could go.",
)

ZH = FindingText(
    title="瓶颈所在",
    findings=MappingProxyType(
        {
            _F.LAUNCH_BOUND: Advice(
                "周期的 {share} 是设备在等待主机启动算子。",
                "编译计算图或一次启动整张图（torch.compile 的 mode='reduce-overhead'、CUDA graph），或用更大的批次让每次启动做更多的事。",
            ),
            _F.DISPATCH_BOUND: Advice(
                "周期的 {share} 是调度开销：算子之间的 Python，以及小到工作量可以忽略的算子。",
                "编译计算图（torch.compile、ONNX Runtime、OpenVINO），或增大批量，让每个算子多做些工作。",
            ),
            _F.MEMORY_BOUND_DECODE: Advice(
                "周期的 {share} 是等待内存的解码步：每个词元都要重新读取权重和缓存。",
                "使用位数更少的权重，同时生成更多序列，或一步生成多个词元（投机解码）。",
            ),
            _F.COMPUTE_BOUND: Advice(
                "周期的 {share} 是受计算限制的矩阵乘法，达到其上限的 {of_ceiling}。",
                "若本机硬件支持，使用更低精度；或使用更小的模型、更少的词元。",
            ),
            _F.SCALAR_ACTIVATION: Advice(
                "周期的 {share} 是 {subject}：耗时为遍历一次其数值的 {times_floor}。",
                "换用该函数的另一种单算子形式：精确式、tanh 式、sigmoid 式中哪一种已向量化，取决于引擎和处理器。",
            ),
            _F.PRODUCT_TRAFFIC: Advice(
                "周期的 {share} 是矩阵乘法周围的搬运：拷贝、改变布局、单独相加的偏置。",
                "直接提供乘法所需的布局，把偏置并入乘法（linear、addmm），或编译计算图。",
            ),
            _F.PADDING: Advice(
                "{padded} 的词元是填充；为此做的工作占周期的 {share}。",
                "把长度相近的文本放入同一批，只填充到该批最长者，或不加填充地打包。",
            ),
            _F.SLOW_TOKENIZER: Advice(
                "周期的 {share} 是分词器（{subject}）。",
                "使用编译实现的（快速）分词器，批量分词，或在模型计算时提前分词。",
            ),
            _F.UNFUSED_ATTENTION: Advice(
                "周期的 {share} 是逐步写出的注意力：分数矩阵写入内存后再读回。",
                "若模型支持，使用融合注意力：--attention sdpa。",
            ),
            _F.CACHE_REALLOCATION: Advice(
                "周期的 {share} 用于拷贝增长的缓存：每个解码步都拷贝全部。",
                "使用就地写入的全长缓存：--cache static。",
            ),
            _F.OVERSUBSCRIPTION: Advice(
                "{threads} 个线程共用 {cores} 个核心，所涉算子占周期的 {share}。",
                "使用 --threads {cores}，并计入其他线程池和进程（OMP_NUM_THREADS）。",
            ),
            _F.IDLE_CORES: Advice(
                "周期的 {share} 是让核心空闲的大矩阵乘法。",
                "使用 --threads {cores}，或每个核心一个进程，各自处理文本。",
            ),
            _F.UNLIKE_LAYER: Advice(
                "{place} 的耗时是同一堆叠中位层的 {factor}。",
                "看这一层（{subject}）与其他层有何不同：别的类、钩子、别的形状。",
            ),
            _F.FIRST_CALL: Advice(
                "首个周期的耗时是预热之后的 {times_steady}。",
                "在首个请求到来之前先运行一个周期，并保持进程常驻。",
            ),
            _F.NOISE: Advice(
                "本机不平静：小的差异在这里没有意义。",
                "停下其他工作，给更多时间（例如 --budget 60s），并交错比较。",
            ),
        }
    ),
    compute_uncalibrated="周期的 {share} 是矩阵乘法的计算；离上限有多近，用 `cyclescope calibrate` 测定。",
    waiting_threads=Advice(
        "周期的 {share} 是线程在等待的大矩阵乘法：{cores} 个核心中有 {busy} 个忙碌。",
        "增大批量以便拆分，检查容器的限制或 OMP_NUM_THREADS，或每个核心运行一个进程。",
    ),
    evidence=MappingProxyType(
        {
            _E.PYTHON: "Python 占 {value}",
            _E.SMALL: "小算子占 {value}",
            _E.OPERATIONS: "算子数 {value}",
            _E.MEAN_GAP: "每个算子的 Python {value}",
            _E.MEAN_TIME: "每个 {value}",
            _E.TIME: "共 {value}",
            _E.OF_DECODE: "占解码步的 {value}",
            _E.BYTES_A_STEP: "每步 {value}",
            _E.MOVED: "搬运 {value}",
            _E.REACHED_BANDWIDTH: "达到 {value}",
            _E.BANDWIDTH_CEILING: "上限 {value}",
            _E.USUAL_BANDWIDTH: "本周期的逐元素算子达到 {value}",
            _E.REACHED_FLOPS: "达到 {value}",
            _E.FLOPS_CEILING: "上限 {value}",
            _E.OF_CEILING: "为上限的 {value}",
            _E.TIMES_FLOOR: "为遍历一次的 {value}",
            _E.COPIES: "拷贝占 {value}",
            _E.BIASES: "偏置占 {value}",
            _E.PADDED: "填充 {value}",
            _E.REAL_TOKENS: "文本词元 {value}",
            _E.LONGEST: "最长文本 {value}",
            _E.A_TOKEN: "每个词元 {value}",
            _E.SCORES: "分数矩阵 {value}",
            _E.BETWEEN: "乘法之间的遍历占 {value}",
            _E.LAST_STEP: "最后一步 {value}",
            _E.THREADS: "线程 {value}",
            _E.CORES: "核心 {value}",
            _E.BUSY: "忙碌核心 {value}",
            _E.EXCESS: "比中位层多 {value}",
            _E.FACTOR: "为中位层的 {value}",
            _E.AT_OPERATION: "其中一个算子占 {value}",
            _E.STARVED: "到达空闲设备的算子数 {value}",
            _E.MEAN_WAIT: "每个等待 {value}",
            _E.HOST_WAITS: "主机在其中等待的算子数 {value}",
            _E.FIRST: "首个 {value}",
            _E.STEADY: "其后 {value}",
            _E.TIMES_STEADY: "为其后的 {value}",
            _E.HALF_WIDTH: "中位数精确到 ±{value}",
            _E.OTHER_LOAD: "其他工作占用 {value} 的核心",
            _E.NO_DIFFERENCE: "同一周期测两次相差可达 {value}",
        }
    ),
    separator="，",
    stop="。",
    space="",
    where="主要在 {place}。",
    gain="最多可省去周期的 {gain}。",
)


def _of_an_engine(t: FindingText, findings: Mapping[FindingCode, Advice], python: str, mean_gap: str) -> FindingText:
    """`t` for a graph that was exported and compiled already, and has no Python between its operations."""
    evidence = {**t.evidence, _E.PYTHON: python, _E.MEAN_GAP: mean_gap}
    return replace(t, findings=MappingProxyType({**t.findings, **findings}), evidence=MappingProxyType(evidence))


EN_ENGINE = _of_an_engine(
    EN,
    {
        _F.DISPATCH_BOUND: Advice(
            "{share} of the cycle is dispatch: the engine between operations, and operations too small for their work to count.",
            "Give each operation more to do with a larger batch.",
        ),
        _F.PRODUCT_TRAFFIC: Advice(
            EN.findings[_F.PRODUCT_TRAFFIC].text,
            "Hand products the layout that they read, and put biases into them (linear, addmm), in the model that is exported.",
        ),
        _F.UNFUSED_ATTENTION: Advice(
            EN.findings[_F.UNFUSED_ATTENTION].text,
            "See whether the engine can fuse the attention of this model: how it is written in the model that is exported decides.",
        ),
    },
    python="the engine between operations {value}",
    mean_gap="{value} of it an operation",
)

ZH_ENGINE = _of_an_engine(
    ZH,
    {
        _F.DISPATCH_BOUND: Advice(
            "周期的 {share} 是调度开销：算子之间的引擎，以及小到工作量可以忽略的算子。",
            "增大批量，让每个算子多做些工作。",
        ),
        _F.PRODUCT_TRAFFIC: Advice(
            ZH.findings[_F.PRODUCT_TRAFFIC].text,
            "在导出的模型中直接提供乘法所需的布局，并把偏置并入乘法（linear、addmm）。",
        ),
        _F.UNFUSED_ATTENTION: Advice(
            ZH.findings[_F.UNFUSED_ATTENTION].text,
            "看引擎能否融合该模型的注意力：这取决于导出的模型中注意力的写法。",
        ),
    },
    python="算子之间的引擎占 {value}",
    mean_gap="平均每个算子 {value}",
)


def finding_text(s: Strings) -> FindingText:
    """The words of findings in the language of `s`, and for whatever runs between the operations."""
    if s.language.startswith("zh"):
        return ZH_ENGINE if s.engine_between else ZH
    return EN_ENGINE if s.engine_between else EN
