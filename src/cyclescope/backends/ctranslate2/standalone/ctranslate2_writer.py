"""A model that writes, as CTranslate2 has converted it: a decoder, or an encoder with a decoder behind it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import ctranslate2

from cyclescope.backends.ctranslate2.standalone.rows import rows_of

# The vocabulary has one of these names: what is read and what is written share it, or there are two.
_READ = ("vocabulary.json", "shared_vocabulary.json", "source_vocabulary.json")
_WRITTEN = ("vocabulary.json", "shared_vocabulary.json", "target_vocabulary.json")


class CTranslate2Writer:
    """Greedy. Tokens in `ends` end a text; those in `never` are not written, and `last` (if there is one) is what the last
    of exactly so many tokens is. `emitted_ns` tells when each token of the last `write` was out in all texts, on the clock
    of `time.perf_counter_ns`. `config` is that of the model it was made from.
    """

    def __init__(
        self,
        path: str,
        config: Any,
        threads: int,
        compute_type: str,
        ends: Sequence[int] = (),
        never: Sequence[Sequence[int]] = (),
        last: int | None = None,
    ) -> None:
        self.config = config
        self.emitted_ns: list[int] = []
        self._behind = bool(config.is_encoder_decoder)
        kind = ctranslate2.Translator if self._behind else ctranslate2.Generator
        self._model = kind(path, device="cpu", compute_type=compute_type, inter_threads=1, intra_threads=threads)
        self._read, written = names_in(path)
        self._number = {name: number for number, name in enumerate(written)}
        self._last = last
        # A number beyond the vocabulary, which a configuration may well have, would be written to all the same.
        stops = [token for token in ends if token < len(written)]
        self._settings: dict[str, Any] = {"beam_size": 1, "sampling_topk": 1, "end_token": stops}
        known = [some for some in never if all(token < len(written) for token in some)]
        if known:
            self._settings["suppress_sequences"] = [[written[token] for token in some] for some in known]

    def write(self, ids: Any, mask: Any, new_tokens: int, *, exactly: bool = False) -> list[list[int]]:
        """The token ids that are written on each of the texts `ids` [texts, tokens], whose padding `mask` tells: at most
        `new_tokens`, `exactly` so many if that is wanted.
        """
        rows = rows_of(ids, mask)
        texts = [[self._read[token] for token in row] for row in rows]
        # Prompts are read at once as far as the shortest goes; a longer one begins to write so many steps later. Where the
        # shortest is one token, what is left of the others counts as written.
        least = 0 if self._behind else min(map(len, rows))
        late = [0 if self._behind else len(row) - least for row in rows]
        skips = late if least == 1 else [0] * len(rows)
        longest = new_tokens + max(skips)
        timestamps = [0] * longest

        def out(step: Any) -> bool:
            timestamps[max(0, step.step - late[step.batch_id])] = perf_counter_ns()
            return False

        shortest = longest if exactly else 0
        if self._behind:
            given = self._model.translate_batch(
                texts,
                max_input_length=0,
                min_decoding_length=shortest,
                max_decoding_length=longest,
                callback=out,
                **self._settings,
            )
            tokens = [[self._number[name] for name in one.hypotheses[0]] for one in given]
        else:
            given = self._model.generate_batch(
                texts,
                min_length=shortest,
                max_length=longest,
                include_prompt_in_result=False,
                callback=out,
                **self._settings,
            )
            tokens = [one.sequences_ids[0] for one in given]
        self.emitted_ns = [timestamp for timestamp in timestamps[:new_tokens] if timestamp]
        tokens = [some[skip : skip + new_tokens] for some, skip in zip(tokens, skips, strict=True)]
        if exactly and self._last is not None:
            tokens = [[*some[:-1], self._last] for some in tokens]
        return tokens


def names_in(path: str) -> tuple[list[str], list[str]]:
    """The tokens by their numbers, as a converted folder calls them: those that are read, and those that are written."""
    found = {file.name: file for file in Path(path).iterdir()}
    files = [next(found[name] for name in names if name in found) for names in (_READ, _WRITTEN)]
    read, written = (list(json.loads(file.read_text(encoding="utf-8"))) for file in files)
    return read, written


def rules_of(generation: Any) -> dict[str, Any]:
    """What a model's own generation configuration says about greedy writing, as arguments of `CTranslate2Writer`."""
    ends, last = generation.eos_token_id, generation.forced_eos_token_id
    return {
        "ends": [] if ends is None else ends if isinstance(ends, list) else [ends],
        "never": [*(generation.bad_words_ids or []), *([token] for token in generation.suppress_tokens or [])],
        "last": last[0] if isinstance(last, list) else last,
    }
