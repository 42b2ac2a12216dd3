"""The notes of a cycle, which are stored as English sentences, in Chinese.

A note that is not among these (another tool's, a newer version's) stays as it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Text
from cyclescope.report.words.sentences import Sentences
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.translate import say_in

ZH: Mapping[str, str] = MappingProxyType(
    {
        "The hub could not be reached; {model} is the built-in architecture.": "无法连接模型库；{model} 使用内置的架构。",
        "{count} weights are not in the checkpoint and are random ({name} …): outputs mean nothing.": "有 {count} 个权重不在检查点中，取随机值（{name} …）：输出没有意义。",
        "The model is in training mode: dropout and the like are part of what was measured.": "模型处于训练模式：所测的时间包含 dropout 等训练时才有的计算。",
        "The model was asked with “Translate into …: TEXT”.": "以 “Translate into …: TEXT” 向模型提问。",
        "The model was asked with “question: … context: …”.": "以 “question: … context: …” 向模型提问。",
        "On this device an operation's time is the time to launch it; waiting for the device is booked at the end.": "在该设备上，算子的时间是启动它的时间；等待设备的时间计在末尾。",
        "Tokens are timed by a streamer, to which generate copies each of them from the device. It waits for the device in every step in any case, to see whether it may stop.": "词元的时刻由 streamer 记录，generate 把每个词元从设备复制给它。无论有无 streamer，generate 每一步都要等待设备，以判断是否可以停止。",
        "On this device generate would compile the model for a static cache; here it did not, so that operations can be told apart.": "在该设备上，generate 会为静态缓存编译模型；此处没有编译，以便区分各个算子。",
        "The meta device takes another path than this one ({why}); traced here.": "meta 设备上的执行路径与此处不同（{why}）；改为在此处追踪。",
        "{count} calls ran inside compiled code; they are not operations here.": "有 {count} 次调用在编译后的代码中运行，此处不作为算子。",
        "It could be exported for this batch and length only.": "只能以这一批大小和长度导出。",
        "Each call of {engine} is one operation here, with the work that the model itself does in it: what happens inside is not told.": "此处 {engine} 的每次调用是一个算子，其工作量取模型本身在这次调用中的工作量：内部发生了什么不作说明。",
        "Calls that check guesses read more or fewer tokens at a time, so they are not looked into.": "检验猜测的调用每次读取的词元数目不同，因此不作内部观察。",
        "Operations that run side by side cannot be booked one after the other, so calls are not looked into.": "并行运行的算子无法依次计时，因此不对调用作内部观察。",
        "Calibrated on {draws} other draws of made-up tokens of this length: real texts have other ranges.": "用同样长度的另外 {draws} 组虚构词元校准：真实文本的取值范围会不同。",
        "Calibrated on the very inputs that it is judged by, too few to hold any out: others may drift more.": "用于校准的正是用来评判的输入，数量太少，无法留出：其他输入的偏移可能更大。",
        "Calibrated on {some} of the {all} texts; its outputs are judged on the other {others}.": "用 {all} 段文本中的 {some} 段校准；输出由其余 {others} 段评判。",
    }
)
_SENTENCES = Sentences(ZH)


def told(note: Text, s: Strings) -> str:
    """`note` in the language of `s`."""
    return _SENTENCES.told(note, s.language) if isinstance(note, str) else say_in(s.language)(note)
