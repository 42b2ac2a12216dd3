"""Why a strategy was not tried, which the strategies say in English, in Chinese.

A reason that is not among these (an engine's own words) stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.report.words.sentences import Sentences

ZH: Mapping[str, str] = MappingProxyType(
    {
        "A student has learned with the layers that it has.": "学生模型是用它现有的层学成的。",
        "A student learns in float32 and from all texts; what it has learned can be put on top.": "学生模型以 float32 并从全部文本学习；学成之后可再叠加其他策略。",
        "A text must not wait for others.": "一条文本不得等待其他文本。",
        "All texts tell the ranges; processes with a share of them come on top.": "取值范围由全部文本得出；分担文本的多个进程在其后叠加。",
        "Attention is fused already.": "注意力已经融合。",
        "Each text is a call of its own, without padding.": "每条文本单独调用一次，没有填充。",
        "Every number of guessed tokens would be compiled by itself.": "每种猜测词元数都要单独编译一次。",
        "Exact GELU is not far from what its bytes need here; its tanh form may well be slower.": "精确 GELU 在此已接近其数据量所需的时间；tanh 形式很可能更慢。",
        "It comes before quantizing.": "它须在量化之前进行。",
        "It does already.": "已经如此。",
        "It does not run in float32 any more.": "它已不再以 float32 运行。",
        "It is compiled already.": "已经编译。",
        "It is done already.": "已经完成。",
        "It is for one text, written greedily, without another draft.": "它只适用于单条文本、贪心生成、没有其他草稿的情形。",
        "It is made for vectors of texts, on engines that pack texts.": "它只用于文本向量，且引擎须能拼接文本。",
        "The engine does not run the model itself, or the model is quantized already.": "该引擎运行的不是模型本身，或模型已经量化。",
        "It is made for models that generate, on engines that take a draft model.": "它只适用于生成文本的模型，且引擎须能使用草稿模型。",
        "It is made for models that write.": "它只适用于生成文本的模型。",
        "It is quantized already.": "已经量化。",
        "It is there for encoders with several layers.": "它只适用于多层的编码器。",
        "It is there for models that read.": "它只适用于读取文本的模型。",
        "It is tried from the model as it is.": "它从原样的模型开始尝试。",
        "It runs on another engine already.": "它已经在另一个引擎上运行。",
        "Layers are left out already.": "已经略去了一些层。",
        "No activation of this cycle is far from what its bytes need.": "该周期中的激活函数都已接近其数据量所需的时间。",
        "No draft is given (--draft MODEL), and layers with random weights guess nothing.": "没有给出草稿模型（--draft MODEL），而随机权重的层猜不中任何词元。",
        "No other engine is installed.": "没有安装其他引擎。",
        "No tanh form of GELU is far from what its bytes need here.": "此处的 tanh 形式 GELU 都已接近其数据量所需的时间。",
        "Nothing is computed over the vocabulary; only memory would be saved.": "没有针对词表的计算；只能节省内存。",
        "Nothing is padded.": "没有填充。",
        "One text is answered by one process; more of them raise throughput only.": "一条文本由一个进程处理；更多进程只能提高吞吐量。",
        "The engine runs the operations of a model one after the other.": "该引擎逐个运行模型的算子。",
        "The engine takes no calibrated ranges.": "该引擎不使用校准得到的范围。",
        "The engine brings an activation of its own.": "该引擎自带激活函数。",
        "The engine compiles by itself.": "该引擎自行编译。",
        "The engine fuses by itself.": "该引擎自行融合。",
        "The engines have it for processors only.": "各引擎只在处理器上支持它。",
        "The model does not say that it may be left early.": "模型没有声明可以提前退出。",
        "The texts are of one length: nothing is padded.": "文本长度相同：没有填充。",
        "There are no texts that tell which tokens are needed.": "没有文本能说明需要哪些词元。",
        "There are too few texts to learn from.": "可供学习的文本太少。",
        "There are too few texts to tell which tokens others need.": "文本太少，无法判断其他文本需要哪些词元。",
        "There is no cache that the engine lets grow.": "没有由引擎逐步增长的缓存。",
        "There is no stack of layers to take from.": "没有可供删减的层。",
        "There is one call, and nothing to tokenize meanwhile.": "只有一次调用，其间没有可分词的文本。",
        "There is one core to be used, or one text.": "可用的核只有一个，或只有一条文本。",
        "There is one core to be used.": "可用的核只有一个。",
        "There is one text.": "只有一条文本。",
        "They are grouped already.": "已经分组。",
        "This processor has no instructions for sixteen bits: it would be slower by far.": "该处理器没有 16 位指令：会慢得多。",
        "What was guessed wrongly is taken out of the cache again, which a static one does not allow.": "猜错的词元要从缓存中撤出，而静态缓存不允许。",
        "{engine} checks no tokens that others have guessed.": "{engine} 不能验证猜测的词元。",
        "{engine} does not compute with activations of 8 bits.": "{engine} 不能用 8 位激活值计算。",
        "{engine} does not compute with weights of {bits} bits as they are.": "{engine} 不能直接用 {bits} 位权重计算。",
        "{engine} has no kernels for it on a processor.": "{engine} 在处理器上没有相应的内核。",
        "takes long; name it to have it tried": "耗时较长；指明它才会尝试",
        "changes outputs; allow a drift to have it tried": "会改变输出；允许漂移才会尝试",
        "comes to the same as a plan that was tried": "与一个已试过的方案相同",
        "left out as asked": "按要求略去",
        "not installed: {way}": "未安装：{way}",
        "moved the outputs too far where it was tried": "在尝试时使输出偏移过大",
        "could not be run where it was tried": "在尝试时无法运行",
        "out of budget": "预算已用完",
        "out of budget, after {rounds} rounds": "预算已用完，共 {rounds} 轮",
    }
)
# How a trial process ended: a fact and its cause, which are written apart.
ENDS_ZH: Mapping[str, str] = MappingProxyType(
    {
        "The trial process did not answer within {seconds} s. It was ended.": "试验进程在 {seconds} 秒内没有应答，已被结束。",
        "The trial process was killed. Most likely the system ran out of memory.": "试验进程被终止，很可能是系统内存不足。",
        "The engine ended its process by signal {signal}.{more}": "引擎以信号 {signal} 结束了它的进程。{more}",
        "The engine ended its process with exit code {code}.{more}": "引擎以退出码 {code} 结束了它的进程。{more}",
        "It needs more memory than there is.{more}": "所需内存超过可用内存。{more}",
        "Allow a larger budget.": "请增加预算。",
    }
)
_SENTENCES = Sentences({**ZH, **ENDS_ZH})


def reason_words(reason: str, language: str) -> str:
    """`reason` in `language`."""
    return _SENTENCES.told(reason, language)
