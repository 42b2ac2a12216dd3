"""The notes of a cycle, which are stored as English sentences, in Chinese.

A note that is not among these (another tool's, a newer version's) stays as it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.report.sentences import Sentences
from cyclescope.report.strings import Strings

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
        "The work of the device by operation could not be seen. {why}": "无法观察设备为各算子所做的工作。{why}",
        "The meta device takes another path than this one ({why}); traced here.": "meta 设备上的执行路径与此处不同（{why}）；改为在此处追踪。",
        "{count} calls ran inside compiled code; they are not operations here.": "有 {count} 次调用在编译后的代码中运行，此处不作为算子。",
        "What the cycle holds in memory could not be seen. {why}": "无法观察周期所占用的内存。{why}",
        "Watched: the last of {count} calls in your own code was measured again, by itself.": "已观察：对您代码中 {count} 次调用的最后一次单独重新测量。",
    }
)
_SENTENCES = Sentences(ZH)


def told(note: str, s: Strings) -> str:
    """`note` in the language of `s`."""
    return _SENTENCES.told(note, s.language)
