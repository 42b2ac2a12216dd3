"""What is asked of a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cyclescope.core.stored import ADDED_LATER


class Weights(StrEnum):
    """Where the numbers in the model come from. Timing does not depend on them, outputs do."""

    PRETRAINED = "pretrained"
    RANDOM = "random"
    GIVEN = "given"


class InputSource(StrEnum):
    """Whether the input comes from a text, is made up to a length, is given as tensors, or was never ours to see."""

    TEXT = "text"
    SYNTHETIC = "synthetic"
    GIVEN = "given"
    RECORDED = "recorded"  # by another tool, which tells its shape at most


class InputUnit(StrEnum):
    """What the length of an input counts: tokens of a text, patches of an image, frames or samples of a sound."""

    TOKENS = "tokens"
    PATCHES = "patches"
    FRAMES = "frames"
    SAMPLES = "samples"
    UNKNOWN = "unknown"


class InputItem(StrEnum):
    """What a batch is made of."""

    TEXTS = "texts"
    IMAGES = "images"
    RECORDINGS = "recordings"


_ITEMS = {
    InputUnit.TOKENS: InputItem.TEXTS,
    InputUnit.PATCHES: InputItem.IMAGES,
    InputUnit.FRAMES: InputItem.RECORDINGS,
    InputUnit.SAMPLES: InputItem.RECORDINGS,
}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Which model it is: `reference` as the user named it, the class that ran, its size and its weights.

    `stand_in_tokenizer`: the tokenizer is one of ours, of the same kind and size as the model's own. `exits` are the
    numbers of layers behind which the model says that it may be read (it was trained so).
    """

    reference: str
    class_name: str
    model_type: str
    parameters: int
    parameter_bytes: int
    weights: Weights
    tokenizer: str
    max_positions: int | None = None
    source: str = ""
    stand_in_tokenizer: bool = False
    exits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """The model and what is asked of it in one cycle.

    `batch` × `tokens_in` is the shape of the padded input; `real_tokens` counts those that are not padding.
    `texts` is empty unless the user asked to keep them; `characters` and `text_bytes` (UTF-8) count them all the same.
    `outcome` says what came out: shapes or labels; text that the model wrote is kept only with the texts.
    `padded_tokens` is the number with padding of a cycle that makes several calls; 0 where it is `batch` × `tokens_in`.
    `unit` says what `tokens_in` and `real_tokens` count; `batch` and both of these are 0 where they are unknown. `shape`
    lists the tensors that were given, by name. `prompt_tokens` are those that the decoder reads first, of all sequences,
    where what the encoder reads has none; else 0.
    """

    model: ModelFacts
    task: str
    input_source: InputSource
    batch: int
    tokens_in: int
    real_tokens: int
    characters: int
    text_bytes: int
    tokens_out: int = 0
    cut_tokens: int = 0
    texts: tuple[str, ...] = ()
    outcome: str = ""
    padded_tokens: int = 0
    unit: InputUnit = field(default=InputUnit.TOKENS, metadata=ADDED_LATER)
    shape: str = field(default="", metadata=ADDED_LATER)
    prompt_tokens: int = field(default=0, metadata=ADDED_LATER)

    @property
    def items(self) -> InputItem | None:
        """What the batch is made of; None where that, or how many they are, is unknown."""
        return _ITEMS.get(self.unit) if self.batch else None

    @property
    def padding(self) -> float:
        """Share of the tokens that the model works on that are padding."""
        padded = self.padded_tokens or self.batch * self.tokens_in
        return 1 - self.real_tokens / padded if padded else 0.0
