"""Texts of an optimization, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclescope.core.errors import UsageError
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.optimization import Outcome


@dataclass(frozen=True, slots=True)
class OptimizationText:
    """One language. Braces are filled in by `optimization`."""

    language: str
    title: str
    found: str
    choice: str
    nothing: str
    nothing_of_one: str
    nothing_to_try: str
    untried: str
    undecided: str
    unproved: str
    partial: str
    partial_nothing: str
    partial_proved: str
    partial_remedy: str
    other_load: str
    other_load_remedy: str
    random_weights: str
    judged_on: str
    as_it_is: str
    time: str
    before: str
    after: str
    per_text: str
    texts_per_second: str
    memory: str
    drift: str
    drift_none: str
    ready: str
    limit: str
    limit_same: str
    limit_drift: str
    proof: str
    proof_value: str
    parts: str
    parts_note: str
    part: str
    worth: str
    verdicts: Mapping[Verdict, str]
    why: str
    why_none: str
    went: str
    came: str
    changed: str
    rows: str
    rows_note: str
    others: str
    plan: str
    ratio: str
    outcome: str
    outcomes: Mapping[Outcome, str]
    too_far: str
    labels_lost: str
    on_front: str
    not_tried: str
    partly: str
    spent: str
    of_budget: str
    phases: Mapping[str, str]
    labels: str
    labels_value: str
    fields: Mapping[str, str]
    fields_of_one: Mapping[str, str]
    values: Mapping[str, str]
    use: str


EN = OptimizationText(
    language="en",
    title="{model}, optimized",
    found="{speed_up} times as fast ({low} – {high}): {plan}. Outputs: {drift}.",
    choice="It took {ratio} of the time of the plan with fewer parts ({plan}), which it is not proved to be faster than.",
    nothing="Best left as it is: of {count} plans that were tried none was proved to be faster within the limit.",
    nothing_of_one="Best left as it is: the one plan that was tried was not proved to be faster within the limit.",
    nothing_to_try="Left as it is: there was no other plan to try.",
    untried="No answer yet: no other plan ran to its end. A larger budget may tell more.",
    undecided="No answer yet: none of the plans that ran until then was seen to be faster.",
    unproved="No answer yet: {plan} looked faster, {ratio} of the time, and nothing was proved. A larger budget tells.",
    partial="Interrupted: the best so far is told, but it was not proved side by side.",
    partial_nothing="Interrupted before any plan was seen to be faster.",
    partial_proved="Interrupted: the best so far was proved, but not all was looked into.",
    partial_remedy="Run it again with more time.",
    other_load="Other processes used {share} of the cores while plans were compared: one that needs every core looks slower then.",
    other_load_remedy="Run it again on a machine at rest.",
    random_weights="Weights are random: times are real, but what became of the outputs says little about a trained model.",
    judged_on="Outputs of plans that learn from the texts (distil, int8-static, trim-vocabulary) are told of {texts} of "
    "{all} texts, from which they did not learn.",
    as_it_is="as it is",
    time="Cycle",
    before="{time} before",
    after="{time} after",
    per_text="Per text",
    texts_per_second="Texts/s",
    memory="Memory held",
    drift="Outputs",
    drift_none="the same but for rounding",
    ready="Made ready in",
    limit="Limit",
    limit_same="the same outputs (1e-4)",
    limit_drift="1 − cosine (or tokens that differ) at most {limit}",
    proof="Proof",
    proof_value="{rounds} rounds in turns with the model as it is; 99 % interval",
    parts="What each part brings",
    parts_note="Each was taken out again, and both plans were run in turns.",
    part="without",
    worth="takes times as long",
    verdicts=MappingProxyType(
        {Verdict.FASTER: "not worth it", Verdict.SLOWER: "proved", Verdict.INCONCLUSIVE: "unproved"}
    ),
    why="Why it got faster",
    why_none="The inside of the faster cycle cannot be told: {reason}",
    went="gone",
    came="new",
    changed="changed",
    rows="All that ran",
    rows_note="Time ÷ that of the model as it is. ● nothing else beats it in time, memory and drift at once.",
    others="What was refused or did not run",
    plan="Plan",
    ratio="Time",
    outcome="Outcome",
    outcomes=MappingProxyType(
        {
            Outcome.TRIED: "",
            Outcome.DRIFTED: "refused",
            Outcome.FAILED: "failed",
            Outcome.UNSUPPORTED: "cannot be",
            Outcome.MISSING: "not installed",
        }
    ),
    too_far="outputs too far away",
    labels_lost="too many labels wrong",
    on_front="●",
    not_tried="Not tried",
    partly="on some plans only: {reason}",
    spent="Time spent",
    of_budget="{time} of {budget}",
    phases=MappingProxyType(
        {
            "load": "loading",
            "baseline": "the model as it is",
            "search": "looking",
            "proof": "proving",
            "parts": "taking apart",
            "why": "the question why",
            "total": "in all",
        }
    ),
    labels="Labels right",
    labels_value="{before} before, {after} after, of {texts}",
    fields=MappingProxyType(
        {
            "engine": "{value}",
            "threads": "{value} threads",
            "threads_between": "{value} operations at a time",
            "dtype": "{value}",
            "attention": "attention {value}",
            "cache": "cache {value}",
            "compiling": "compiled ({value})",
            "quantization": "{value}",
            "instances": "{value} processes",
            "batch": "{value} texts a call",
            "batching": "texts {value}",
            "drafting": "{value}",
            "overlap": "tokenized beside",
        }
    ),
    fields_of_one=MappingProxyType(
        {
            "threads": "{value} thread",
            "threads_between": "{value} operation at a time",
            "instances": "{value} process",
            "batch": "{value} text a call",
        }
    ),
    values=MappingProxyType(
        {
            "inductor": "Inductor",
            "inductor-freezing": "Inductor, weights frozen",
            "length": "grouped by length",
            "packed": "packed without padding",
            "given": "in their order",
        }
    ),
    use="How to run it",
)

ZH = OptimizationText(
    language="zh",
    title="{model} 的优化",
    found="速度是原样的 {speed_up} 倍({low} – {high}):{plan}。输出:{drift}。",
    choice="用时是部件更少的方案({plan})的 {ratio},但没有证明比它快。",
    nothing="保持原样最好:试过的 {count} 个方案中,没有一个在限度之内被证明更快。",
    nothing_of_one="保持原样最好:试过的唯一方案没有在限度之内被证明更快。",
    nothing_to_try="保持原样:没有其他方案可试。",
    untried="尚无答案:没有其他方案运行到底。增加预算可能得出更多结论。",
    undecided="尚无答案:到那时为止运行过的方案都没有显得更快。",
    unproved="尚无答案:{plan} 看来更快,用时为原样的 {ratio},但没有得到证明。增加预算即可判定。",
    partial="已中断:给出的是目前最好的方案,但没有经过并排验证。",
    partial_nothing="在看到任何更快的方案之前已中断。",
    partial_proved="已中断:目前最好的方案已经证明,但没有全部查看。",
    partial_remedy="请用更多时间再运行一次。",
    other_load="比较方案期间,其他进程占用了 {share} 的核心:需要全部核心的方案会因此显得更慢。",
    other_load_remedy="请在空闲的机器上再运行一次。",
    random_weights="权重是随机的:时间是真实的,但输出的变化对训练过的模型说明不了什么。",
    judged_on="从文本中学习的方案(distil、int8-static、trim-vocabulary)的输出,只按 {all} 条文本中未参与学习的 {texts} 条来评判。",
    as_it_is="原样",
    time="周期",
    before="之前 {time}",
    after="之后 {time}",
    per_text="每条文本",
    texts_per_second="文本/秒",
    memory="占用内存",
    drift="输出",
    drift_none="除舍入外相同",
    ready="准备用时",
    limit="限度",
    limit_same="输出相同(1e-4)",
    limit_drift="1 − 余弦(或不同词元的比例)不超过 {limit}",
    proof="证明",
    proof_value="与原样交替运行 {rounds} 轮;99 % 区间",
    parts="各部分的贡献",
    parts_note="逐个去掉,两个方案交替运行。",
    part="去掉",
    worth="用时变为(倍)",
    verdicts=MappingProxyType({Verdict.FASTER: "不值得", Verdict.SLOWER: "已证明", Verdict.INCONCLUSIVE: "未证明"}),
    why="为什么变快",
    why_none="较快的周期内部无法得知:{reason}",
    went="消失",
    came="新增",
    changed="改变",
    rows="全部运行过的",
    rows_note="时间 ÷ 原样的时间。● 没有别的方案在时间、内存和偏移上同时胜过它。",
    others="被拒绝或未能运行的",
    plan="方案",
    ratio="时间",
    outcome="结果",
    outcomes=MappingProxyType(
        {
            Outcome.TRIED: "",
            Outcome.DRIFTED: "被拒绝",
            Outcome.FAILED: "失败",
            Outcome.UNSUPPORTED: "无法实现",
            Outcome.MISSING: "未安装",
        }
    ),
    too_far="输出偏移过大",
    labels_lost="标签错得太多",
    on_front="●",
    not_tried="没有尝试的",
    partly="只在部分方案上尝试:{reason}",
    spent="用时",
    of_budget="{time},预算 {budget}",
    phases=MappingProxyType(
        {
            "load": "加载",
            "baseline": "原样的模型",
            "search": "寻找",
            "proof": "证明",
            "parts": "逐个去掉",
            "why": "为什么",
            "total": "总共",
        }
    ),
    labels="正确的标签",
    labels_value="之前 {before},之后 {after},共 {texts}",
    fields=MappingProxyType(
        {
            "engine": "{value}",
            "threads": "{value} 个线程",
            "threads_between": "同时 {value} 个算子",
            "dtype": "{value}",
            "attention": "注意力 {value}",
            "cache": "缓存 {value}",
            "compiling": "编译({value})",
            "quantization": "{value}",
            "instances": "{value} 个进程",
            "batch": "每次 {value} 条文本",
            "batching": "文本{value}",
            "drafting": "{value}",
            "overlap": "同时分词",
        }
    ),
    fields_of_one=MappingProxyType(
        {
            "threads": "{value} 个线程",
            "threads_between": "同时 {value} 个算子",
            "instances": "{value} 个进程",
            "batch": "每次 {value} 条文本",
        }
    ),
    values=MappingProxyType(
        {
            "inductor": "Inductor",
            "inductor-freezing": "Inductor,固定权重",
            "length": "按长度分组",
            "packed": "无填充拼接",
            "given": "按原有顺序",
        }
    ),
    use="如何运行",
)


def optimization_text(language: str) -> OptimizationText:
    """The texts in `language`. Raises `UsageError` for one that there are none of."""
    for text in (EN, ZH):
        if text.language == language:
            return text
    raise UsageError(f"There are no reports in {language!r}.", "", "Known are en, zh.")
