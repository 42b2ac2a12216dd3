"""Texts of a recipe that is verified or applied, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclescope.core.errors import UsageError
from cyclescope.optimizing.recipes.verify import RecipeStatus


@dataclass(frozen=True, slots=True)
class VerificationText:
    """One language. Braces are filled in by `verification` and `applied`."""

    language: str
    title: str
    standings: Mapping[RecipeStatus, str]
    ratio: str
    drifted: str
    not_faster: str
    brings_less: str
    too_few: str
    left_open: str
    partial: str
    partial_remedy: str
    plan: str
    then: str
    now: str
    speed_up: str
    interval: str
    outputs: str
    limit: str
    time: str
    rounds: str
    work: str
    differs: str
    nothing_differs: str
    other_load: str
    what: str
    differences: Mapping[str, str]
    applied_title: str
    agrees: str
    disagrees: str
    disagrees_remedy: str
    random_code: str
    files: str
    folder: str
    run_it: str
    run_it_here: str
    texts: str


EN = VerificationText(
    language="en",
    title="{model}: does the recipe hold here?",
    standings=MappingProxyType(
        {
            RecipeStatus.HOLDS: "It holds",
            RecipeStatus.FAILS: "It no longer holds",
            RecipeStatus.INCONCLUSIVE: "Inconclusive",
        }
    ),
    ratio="{standing}: {speed_up} times as fast as the model as it is ({low} – {high}).",
    drifted="Its outputs are farther away than the recipe allowed.",
    not_faster="It is not faster here.",
    brings_less="That is less than where it was proved.",
    too_few="There were too few rounds to say more.",
    left_open="The interval leaves open whether it is faster.",
    partial="Interrupted: what was measured until then is told.",
    partial_remedy="Run it again with more time.",
    plan="Plan",
    then="when proved",
    now="here and now",
    speed_up="Times as fast",
    interval="99 % interval",
    outputs="Outputs",
    limit="Limit",
    time="Cycle",
    rounds="Rounds in turns",
    work="Work",
    differs="What differs from where it was proved",
    nothing_differs="Processor, cores and packages are those with which it was proved.",
    other_load="Cores used by others",
    what="",
    differences=MappingProxyType({"processor": "processor", "cores": "cores", "work": "texts × tokens"}),
    applied_title="{model}, applied",
    agrees="The code gives what the measured plan gives. Outputs: {outputs}.",
    disagrees="The code gives other outputs than the measured plan: {outputs}.",
    disagrees_remedy="Do not use it; the files are left for you to look at.",
    random_code="The code builds the model with random weights, as it was measured; give your own with --model.",
    files="Files",
    folder="Folder",
    run_it="Run it",
    run_it_here="It asks the hub for the model by name. Without a network, with the one on this machine:",
    texts="Texts compared",
)

ZH = VerificationText(
    language="zh",
    title="{model}:配方在这里还成立吗?",
    standings=MappingProxyType(
        {RecipeStatus.HOLDS: "成立", RecipeStatus.FAILS: "不再成立", RecipeStatus.INCONCLUSIVE: "无法判定"}
    ),
    ratio="{standing}:速度是原样的 {speed_up} 倍({low} – {high})。",
    drifted="输出的偏移超过了配方允许的限度。",
    not_faster="在这里并没有更快。",
    brings_less="但比证明时少。",
    too_few="轮数太少,不能多说。",
    left_open="区间没有说明是否更快。",
    partial="已中断:给出的是到那时为止的测量。",
    partial_remedy="请用更多时间再运行一次。",
    plan="方案",
    then="证明时",
    now="此时此地",
    speed_up="速度倍数",
    interval="99 % 区间",
    outputs="输出",
    limit="限度",
    time="周期",
    rounds="交替轮数",
    work="任务",
    differs="与证明时的不同",
    nothing_differs="处理器、核心和软件包都与证明时相同。",
    other_load="其他进程占用的核心",
    what="",
    differences=MappingProxyType({"processor": "处理器", "cores": "核心", "work": "文本 × 词元"}),
    applied_title="{model} 的配方已应用",
    agrees="代码给出的结果与测量的方案一致。输出:{outputs}。",
    disagrees="代码给出的结果与测量的方案不同:{outputs}。",
    disagrees_remedy="请勿使用;文件留待查看。",
    random_code="代码用随机权重构建模型,与测量时一样;用 --model 指定你自己的权重。",
    files="文件",
    folder="文件夹",
    run_it="运行",
    run_it_here="它按名称向 hub 索取模型。没有网络时，使用本机上的模型：",
    texts="比较用文本数",
)


def verification_text(language: str) -> VerificationText:
    """The texts in `language`. Raises `UsageError` for one that there are none of."""
    for text in (EN, ZH):
        if text.language == language:
            return text
    raise UsageError(f"There are no reports in {language!r}.", "", "Known are en, zh.")
