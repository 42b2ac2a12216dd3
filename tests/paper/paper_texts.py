"""Costs of texts on paper: three languages, two tokenizers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from paper_models import paper_bert, paper_cycle

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.core.tokenization import TextCosts, TextFacts, TokenCount, TokenizerInfo, TokenizerRun

FAST = TokenizerInfo("PaperTokenizer", fast=True, stand_in=False, vocabulary=30_522)
SLOW = replace(FAST, name="PaperTokenizerLegacy", fast=False)


def run(info: TokenizerInfo, counts: tuple[TokenCount, ...], time_ns: int) -> TokenizerRun:
    samples = tuple(np.full(20, time_ns * (place + 1), dtype=np.int64) for place in range(len(counts)))
    return TokenizerRun(info, counts, samples, np.full(20, 30_000, dtype=np.int64))


TEXTS = (TextFacts("en", "The train", 92, 92), TextFacts("zh", "去城里的火车", 24, 72), TextFacts("ar", "x", 79, 146))
COUNTS = (TokenCount(20, 2, 0), TokenCount(24, 2, 12), TokenCount(67, 2, 0))
COSTS = TextCosts("paper", PAPER_MACHINE, TEXTS, (run(FAST, COUNTS, 80_000), run(SLOW, COUNTS, 200_000)), 512)
WITH_CYCLES = replace(COSTS, cycles=(paper_cycle(paper_bert(layers=2)),) * 3)


def unlabelled(*beginnings: str) -> TextCosts:
    """Texts of the user's own that go on for 1000 characters."""
    texts = tuple(TextFacts("", beginning, 1000, 1000) for beginning in beginnings)
    return TextCosts("paper", PAPER_MACHINE, texts, (run(FAST, (TokenCount(20, 2, 0),) * len(texts), 80_000),), None)
