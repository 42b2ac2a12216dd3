"""The cases of the bar and the peers of each."""

from __future__ import annotations

from dataclasses import dataclass

# Of lengths that people search with and write: a word, a sentence, a paragraph.
TEXTS = (
    "Where does the time go?",
    "A transformer reads all tokens of a sentence at once, and each of them looks at all the others.",
    "The model was measured on two cores of a shared machine. Its first layer waits for memory, the others for "
    "arithmetic; what Python adds between them is the same in every layer, and so matters most where layers are small.",
    "How do I get a refund for a ticket that I bought twice?",
)


@dataclass(frozen=True)
class Case:
    """`batch` rows of `tokens` made-up tokens, or texts, each a call of its own, on so many threads; with `new_tokens` text is
    written.
    """

    model: str
    threads: int
    batch: int = 1
    tokens: int = 0
    texts: tuple[str, ...] = ()
    new_tokens: int = 0

    @property
    def name(self) -> str:
        what = "texts" if self.texts else f"{self.batch}x{self.tokens}"
        return f"{self.model}-{what}{f'+{self.new_tokens}' if self.new_tokens else ''}-{self.threads}t"


@dataclass(frozen=True)
class Peer:
    """One way to run the model by hand: `script` in the folder of peers. `writes`: for models that write, else for encoders."""

    name: str
    script: str
    encodes: bool = True
    writes: bool = False
    int8: bool = False


BASELINE = "transformers eager"
PEERS = (
    Peer(BASELINE, "hf_eager", writes=True),
    Peer("transformers sdpa, inference_mode", "hf_sdpa", writes=True),
    Peer("transformers bfloat16", "hf_bfloat16", writes=True),
    Peer("torch.compile, freezing", "torch_compile", writes=True),
    Peer("torch int8 dynamic", "torch_int8", writes=True, int8=True),
    Peer("prompt lookup", "hf_prompt_lookup", encodes=False, writes=True),
    Peer("ONNX Runtime float32, fused", "onnxruntime_float32"),
    Peer("ONNX Runtime int8 dynamic", "onnxruntime_int8", int8=True),
    Peer("OpenVINO float32", "openvino_float32", writes=True),
    Peer("OpenVINO as it comes", "openvino_default"),
    Peer("OpenVINO int8 weights", "openvino_int8_weights", writes=True, int8=True),
    Peer("OpenVINO int8 static", "openvino_int8_static", int8=True),
    Peer("CTranslate2 float32", "ctranslate2_float32", writes=True),
    Peer("CTranslate2 int8", "ctranslate2_int8", writes=True, int8=True),
)


def all_cases() -> tuple[Case, ...]:
    """One and two threads of each; the short ones first."""
    made: list[Case] = []
    for batch, tokens in ((1, 16), (1, 128), (1, 512), (8, 128)):
        made += [Case("bert-base-chinese", threads, batch, tokens) for threads in (1, 2)]
    made += [Case("minilm", threads, texts=TEXTS) for threads in (1, 2)]
    made += [Case("llama-110m", threads, 1, 128, new_tokens=64) for threads in (1, 2)]
    return tuple(made)


def peers_of(case: Case) -> tuple[Peer, ...]:
    return tuple(peer for peer in PEERS if (peer.writes if case.new_tokens else peer.encodes))
