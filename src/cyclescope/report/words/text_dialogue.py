"""The words of the page about a dialogue, in English and in Chinese."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.report.words.strings import Strings


@dataclass(frozen=True, slots=True)
class DialogueText:
    """One language."""

    title: str
    answer: str
    answer_costs: str
    answer_open: str
    answer_one: str
    history_grows: str
    own_template: str
    plain_template: str
    template: str
    replies: str
    replies_value: str
    first_token: str
    whole_reply: str
    turn: str
    history: str
    cached: str
    again: str
    reused: str
    ratio: str
    note: str
    first_turn: str
    few_repeats: str
    few_repeats_remedy: str
    other_reply: str


EN = DialogueText(
    title="A dialogue with {model}",
    answer="Handing on the cache saves {share} of the dialogue: its {turns} replies take {reused} instead of {again} (ratio {ratio}).",
    answer_costs="Handing on the cache saves nothing: the {turns} replies take {reused} with it and {again} without (ratio {ratio}).",
    answer_open="Whether handing on the cache saves time cannot be told here: the {turns} replies take {reused} with it and {again} without (ratio {ratio}).",
    answer_one="One turn takes {again}; there is no turn before it to take a cache from.",
    history_grows="The history grows from {first} to {last} tokens. Read again, the first token of the last turn comes after {again}; with the cache after {reused}.",
    own_template="the tokenizer's own",
    plain_template="plain: User: …, Assistant: …",
    template="chat template",
    replies="replies",
    replies_value="{tokens} tokens each",
    first_token="To the first token",
    whole_reply="Whole reply",
    turn="turn",
    history="history",
    cached="cached",
    again="read again",
    reused="from cache",
    ratio="ratio",
    note="History and cached are tokens; the ratio is from cache ÷ read again, with its 95 % interval. Both begin with the messages as text, template and tokenizer included, and ran in turn (A B B A).",
    first_turn="The first turn has no cache: both columns run the same, and show what the measurement varies by.",
    few_repeats="Only {count} repeats of each turn: too few for an interval.",
    few_repeats_remedy="Give a larger --budget.",
    other_reply="With the cache the model wrote other tokens in {count} turns: the arithmetic runs in another order.",
)
ZH = DialogueText(
    title="与 {model} 的对话",
    answer="沿用缓存可节省整个对话 {share} 的时间：{turns} 次回复共需 {reused}，不沿用则需 {again}（比值 {ratio}）。",
    answer_costs="沿用缓存没有节省时间：{turns} 次回复沿用时共需 {reused}，不沿用时 {again}（比值 {ratio}）。",
    answer_open="此处无法判断沿用缓存是否节省时间：{turns} 次回复沿用时共需 {reused}，不沿用时 {again}（比值 {ratio}）。",
    answer_one="一轮需 {again}；之前没有别的轮次，也就没有缓存可用。",
    history_grows="历史从 {first} 个词元增长到 {last} 个。重新读入全部历史时，最后一轮的首个词元需 {again}；沿用缓存时需 {reused}。",
    own_template="分词器自带",
    plain_template="简单模板：User: …, Assistant: …",
    template="对话模板",
    replies="回复",
    replies_value="每次 {tokens} 个词元",
    first_token="到首个词元",
    whole_reply="整个回复",
    turn="轮次",
    history="历史",
    cached="已缓存",
    again="重新读入",
    reused="沿用缓存",
    ratio="比值",
    note="历史与已缓存以词元计；比值为沿用缓存 ÷ 重新读入，附 95 % 区间。两者都从消息文本开始计时，包括模板和分词，并交替运行（A B B A）。",
    first_turn="第一轮没有缓存：两列所做的完全相同，其差别就是测量的波动。",
    few_repeats="每轮只重复了 {count} 次，不足以给出区间。",
    few_repeats_remedy="请加大 --budget。",
    other_reply="沿用缓存时，模型在 {count} 轮中写出了不同的词元：运算次序不同。",
)


def dialogue_text(s: Strings) -> DialogueText:
    """The words in the language of `s`."""
    return ZH if s.language == "zh" else EN
