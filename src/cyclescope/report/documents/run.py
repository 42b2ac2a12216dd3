"""The model, the workload, the plan and the machine, as every document has them."""

from __future__ import annotations

from pydantic import Field

from cyclescope.core.workload import InputSource, InputUnit, Weights
from cyclescope.report.documents.figures import DocumentPart, Packages, Text


class Model(DocumentPart):
    """Which model ran."""

    reference: Text = Field(description="as the user named it")
    class_name: Text
    model_type: Text
    parameters: int = Field(description="number of parameters")
    parameter_bytes: int = Field(description="bytes of the parameters")
    weights: Weights
    tokenizer: Text
    stand_in_tokenizer: bool = Field(description="the tokenizer is not the model's own, but one of its kind and size")
    max_positions: int | None = Field(description="longest input in tokens; null where the model sets no bound")
    source: Text


class Workload(DocumentPart):
    """The model and what was asked of it in one cycle."""

    model: Model
    task: Text
    input_source: InputSource
    batch: int = Field(description="texts (images, recordings) in one cycle; 0: unknown")
    tokens_in: int = Field(description="tokens of each text (or unit), padding included; 0: unknown")
    real_tokens: int = Field(description="tokens of all texts (or unit), padding left out; 0: unknown")
    unit: InputUnit = Field(description="what tokens_in counts")
    shape: Text = Field(description="tensors that were given, by name; empty where the input is tokens")
    characters: int = Field(description="Unicode characters of all texts")
    text_bytes: int = Field(description="bytes of all texts in UTF-8")
    tokens_out: int = Field(description="tokens generated")
    cut_tokens: int = Field(description="tokens that did not fit the model and were cut")
    texts: list[Text] = Field(description="empty unless the user asked to keep them")
    outcome: Text = Field(description="what came out, in words")


class Change(DocumentPart):
    """A change of the model itself."""

    name: Text = Field(description="strategy that makes it")
    amount: float = Field(
        description="a share, a rank or a number of layers, as the strategy has it; 0 where it has none"
    )


class Plan(DocumentPart):
    """How the workload was run."""

    engine: Text
    device: Text
    threads: int = Field(description="threads inside one operation; 0: the engine's own choice")
    dtype: Text
    attention: Text
    seed: int = Field(description="seed of random weights and synthetic tokens")
    cache: Text
    decoding: Text
    compiling: Text
    quantization: Text
    changes: list[Change] = Field(description="of the model, in the order in which they are made")
    threads_between: int = Field(description="independent operations that run side by side; 0: the engine's own choice")
    instances: int = Field(description="processes that share the texts")
    batch: int = Field(description="texts of one call; 0: all of them")
    batching: Text
    drafting: Text
    overlap: bool = Field(description="the next texts are tokenized while the model runs")
    tensor: int = Field(default=1, description="ranks that share every layer")
    pipeline: int = Field(default=1, description="stages that have some of the layers each")
    data: int = Field(default=1, description="replicas that share the texts")
    microbatches: int = Field(
        default=1, description="parts of a replica's batch that pass the stages one behind the other"
    )


class Host(DocumentPart):
    """The machine."""

    processor: Text
    cores: int = Field(description="cores that this process may use")
    memory_bytes: int = Field(description="bytes of main memory")
    system: Text
    python: Text
    device: Text
    instruction_set: Text
    packages: Packages = Field(description="packages of the engine")
    virtual: bool
    quota_cores: float | None = Field(
        default=None, description="cores of processor time that control groups allow; null: no limit"
    )
