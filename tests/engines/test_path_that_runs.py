"""What is traced and stamped is the path that runs uninstrumented, or the report says that it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch._dynamo.testing import CompileCounter

import cyclescope
from cyclescope.backends.torch.tracing.tracing import _Parts
from cyclescope.core.cycle import Cycle
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import WarningCode
from cyclescope.explaining.findings.finding import FindingCode

X = torch.ones(2, 4)


class Waves(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(torch.sin(x)) * 2


def notes(cycle: Cycle) -> str:
    return " ".join(map(str, (*cycle.notes, *cycle.graph.notes)))


def compiled_module(counter: CompileCounter) -> nn.Module:
    return torch.compile(Waves().eval(), backend=counter)  # type: ignore[return-value]


def compiled_in_place(counter: CompileCounter) -> nn.Module:
    model = Waves().eval()
    model.compile(backend=counter)
    return model


def compiled_forward(counter: CompileCounter) -> nn.Module:
    model = Waves().eval()
    model.forward = torch.compile(model.forward, backend=counter)  # type: ignore[method-assign]
    return model


def compiled_layer(counter: CompileCounter) -> nn.Module:
    return nn.Sequential(torch.compile(Waves(), backend=counter), nn.ReLU()).eval()


@pytest.mark.parametrize("make", [compiled_module, compiled_in_place, compiled_forward, compiled_layer])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad])
def test_a_compiled_model_is_measured_as_it_runs_and_not_compiled_anew(make: object, mode: object) -> None:
    counter = CompileCounter()
    model = make(counter)  # type: ignore[operator]
    with mode():  # type: ignore[operator]
        expected = model(X)
        compiled = counter.frame_count
        cycle = cyclescope.measure(model, inputs={next(iter(_names(model))): X}, budget=0.2)
        assert counter.frame_count == compiled
        assert torch.equal(model(X), expected)
        assert counter.frame_count == compiled
    (operation,) = cycle.graph.ops()
    assert cycle.graph.opaque
    assert operation.cost.flops == 2 * 2 * 4 * 4
    assert "compiled by torch.compile" in notes(cycle)
    assert "parts are unknown" in notes(cycle)
    assert len(cycle.samples.instrumented)


def _names(model: nn.Module) -> list[str]:
    return ["input"] if isinstance(model, nn.Sequential) else ["x"]


def test_a_compiled_function_that_a_model_calls_is_met_too() -> None:
    counter = CompileCounter()
    wave = torch.compile(lambda x: torch.sin(x) + 1, backend=counter)

    class Calls(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return wave(x) * 2

    cycle = cyclescope.measure(Calls().eval(), inputs={"x": X}, budget=0.2)
    assert counter.frame_count == 1
    assert "torch.compile" in notes(cycle)
    assert len(cycle.graph) == 1


def test_a_scripted_module_is_measured_as_one_operation() -> None:
    with pytest.warns(DeprecationWarning, match="jit.script"):
        model = torch.jit.script(nn.Sequential(nn.Linear(4, 4)).eval())
    cycle = cyclescope.measure(model, inputs={"input": X}, budget=0.2)
    assert cycle.graph.total.flops == 2 * 2 * 4 * 4
    assert "TorchScript" in notes(cycle)
    assert cycle.samples.instrumentation is not None


def fused_encoder() -> nn.Module:
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 4, 128, batch_first=True), 2).eval()


def test_a_fused_encoder_is_traced_and_stamped_as_it_runs() -> None:
    cycle = cyclescope.measure(fused_encoder(), inputs={"src": torch.randn(2, 10, 64)}, budget=0.2)
    assert cycle.graph.names == ("_transformer_encoder_layer_fwd",) * 2
    tokens, weights, scores = 20, 4 * 64 * 64 + 2 * 64 * 128, 2 * 10 * 10
    assert cycle.graph.flops.tolist() == [2 * tokens * weights + 2 * scores * 2 * 64] * 2
    assert cycle.samples.instrumentation is not None
    assert "shims" in cycle.samples.instrumentation.how


@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype")
def test_a_padded_encoder_computes_no_padding() -> None:
    mask = torch.tensor([[False] * 10, [False] * 6 + [True] * 4])
    given = {"src": torch.randn(2, 10, 64), "src_key_padding_mask": mask}
    cycle = cyclescope.measure(fused_encoder(), inputs=given, budget=0.2)
    fused = [i for i, name in enumerate(cycle.graph.names) if name == "_transformer_encoder_layer_fwd"]
    tokens, weights, scores = 16, 4 * 64 * 64 + 2 * 64 * 128, 2 * 10 * 10  # scores are padded to the longest
    assert [int(cycle.graph.flops[i]) for i in fused] == [2 * tokens * weights + 2 * scores * 2 * 64] * 2
    assert cycle.samples.instrumentation is not None
    assert "shims" in cycle.samples.instrumentation.how
    assert not cycle.graph.unpriced


def test_a_mode_of_the_user_s_own_is_left_to_be_seen() -> None:
    """It is there in uninstrumented runs too, which take the slow path then."""
    with torch.device("cpu"):
        cycle = cyclescope.measure(fused_encoder(), inputs={"src": torch.randn(2, 10, 64)}, budget=0.2)
    assert "_transformer_encoder_layer_fwd" not in cycle.graph.names
    assert torch.overrides.has_torch_function.__name__ != "_overridden"


class Between(nn.Module):
    """Two layers, and `what` between them."""

    def __init__(self, what: Callable[[], object]) -> None:
        super().__init__()
        self.first, self.last, self.what = nn.Linear(4, 4), nn.Linear(4, 4), what

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        self.what()
        return self.last(x)


def in_python() -> int:
    return sum([k * k for k in range(40_000)]) + sum(k for k in range(40_000))


NUMBERS = b"0123456789" * 1_000_000


def in_native_code() -> bytes:
    return hashlib.sha256(NUMBERS).digest()


@pytest.mark.parametrize(("what", "native"), [(in_python, False), (in_native_code, True)])
def test_native_code_between_operations_is_told_from_python(what: Callable[[], object], native: bool) -> None:
    cycle = cyclescope.measure(Between(what).eval(), inputs={"x": X}, budget=2.0)
    found = explain(cycle)
    rows = {row.name: row.share_of_wall for row in found.closure.rows}
    assert ("native" in rows) == native
    assert any(finding.code is FindingCode.DISPATCH_BOUND for finding in found.findings) != native
    assert (WarningCode.NATIVE in [warning.code for warning in found.warnings]) == native


def test_tracing_does_not_load_the_compiler() -> None:
    """PyTorch wraps a dispatch mode in a function that imports it at its first call, which took seconds."""
    assert _Parts.__torch_dispatch__.__code__.co_name == "__torch_dispatch__"
