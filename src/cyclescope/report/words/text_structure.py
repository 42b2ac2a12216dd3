"""The words about the cache of a step and about the experts of a mixture, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.report.words.strings import Strings


@dataclass(frozen=True, slots=True)
class StructureText:
    """One language."""

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
