"""The words about a decode step that was traced by itself, and about the experts of a mixture, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.report.words.strings import Strings


@dataclass(frozen=True, slots=True)
class StructureText:
    """One language."""

    step_title: str
    step_answer: str
    step_cache: str
    step_note: str
    step_after_encoder: str
    flow_cache: str
    experts: str
    experts_known: str
    experts_unknown: str
    layer: str
    routed: str
    average: str
    busiest: str
    least: str
    imbalance: str
    idle: str
    experts_more: str


EN = StructureText(
    step_title="A decode step of {model} with {cache} tokens in its cache",
    step_answer="Batch {batch}, one token each, with {cache} tokens in the cache: {operations} operations, {flops}, {read} read and {written} written by operations.",
    step_cache="The cache takes {before} before the step and {after} after it.",
    step_note="This is the model's call in a step of generate. Choosing the next token is not in it.",
    step_after_encoder="The encoder has run before, and its output is given.",
    flow_cache="cache of {tokens} tokens",
    experts="Tokens of each expert",
    experts_known="Each token goes to {chosen} of {experts} experts. The busiest is in {place}: it gets {most} of {routed}, {factor} times the average of {average}.",
    experts_unknown="Each token goes to {chosen} of {experts} experts. Which ones depends on the weights, and a trace without weights does not know them. Expected on average: {average} tokens for each expert of a layer ({tokens} × {chosen} / {experts}).",
    layer="layer",
    routed="sent",
    average="average",
    busiest="most",
    least="least",
    imbalance="most ÷ average",
    idle="idle experts",
    experts_more="{count} further layers are more even.",
)
ZH = StructureText(
    step_title="{model} 的一个解码步（缓存中有 {cache} 个词元）",
    step_answer="批量 {batch}，各读入一个词元，缓存中有 {cache} 个词元：{operations} 个算子，{flops}，各算子共读 {read}、写 {written}。",
    step_cache="缓存在该步之前占 {before}，之后占 {after}。",
    step_note="这是 generate 的一步中对模型的调用，不含选取下一个词元。",
    step_after_encoder="编码器已先行运行，其输出为给定的输入。",
    flow_cache="{tokens} 个词元的缓存",
    experts="各专家的词元数",
    experts_known="每个词元送往 {experts} 个专家中的 {chosen} 个。最忙的专家在 {place}：{routed} 个中占 {most} 个，为平均值 {average} 的 {factor} 倍。",
    experts_unknown="每个词元送往 {experts} 个专家中的 {chosen} 个。送往哪些由权重决定，不含权重的追踪无从得知。期望的平均值：一层中每个专家 {average} 个词元（{tokens} × {chosen} / {experts}）。",
    layer="层",
    routed="送出",
    average="平均",
    busiest="最多",
    least="最少",
    imbalance="最多 ÷ 平均",
    idle="空闲专家",
    experts_more="其余 {count} 层更为均匀。",
)


def structure_text(s: Strings) -> StructureText:
    """The words in the language of `s`."""
    return ZH if s.language == "zh" else EN
