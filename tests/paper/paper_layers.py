"""Layers on paper whose split is known: attention and a pair of products around an activation, as a tracer would list them."""

from __future__ import annotations

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole

BYTES = 4


class Layers(GraphBuilder):
    """A builder with the operations of a decoder, each with its FLOPs and bytes."""

    def work(self, name: str, kind: OpKind, inputs: list[int], shape: tuple[int, ...], flops: int = 0) -> int:
        """An operation with one result of `shape`."""
        out = self.tensor(shape)
        moved = sum(self.spec(t).bytes for t in inputs)
        self.op(name, kind, inputs, [out], Cost(flops, self.spec(out).elements, moved, self.spec(out).bytes))
        return out

    def view(self, name: str, tensor: int, shape: tuple[int, ...]) -> int:
        out = self.tensor(shape, storage=self.spec(tensor).storage)
        self.op(name, OpKind.VIEW, [tensor], [out])
        return out

    def linear(self, x: int, width: int, name: str) -> int:
        """x [batch, tokens, features] by a weight [width, features]."""
        shape = self.spec(x).shape
        weight = self.tensor((width, shape[-1]), role=TensorRole.PARAMETER, name=f"{name}.weight")
        with self.frame(name, "Linear"):
            flops = 2 * shape[0] * shape[1] * shape[2] * width
            return self.work("linear", OpKind.MATMUL, [x, weight], (*shape[:-1], width), flops)

    def attention(self, x: int, heads: int, groups: int, size: int, name: str) -> int:
        """Grouped attention of `heads` queries to `groups` keys and values; [batch, tokens, heads · size]."""
        batch, tokens, _ = self.spec(x).shape
        parts = []
        for part, count in (("q", heads), ("k", groups), ("v", groups)):
            wide = self.linear(x, count * size, f"{name}.{part}")
            apart = self.view("view", wide, (batch, tokens, count, size))
            parts.append(self.view("transpose", apart, (batch, count, tokens, size)))
        shape = (batch, heads, tokens, size)
        flops = 4 * batch * heads * tokens * tokens * size
        mixed = self.work("scaled_dot_product_attention", OpKind.ATTENTION, parts, shape, flops)
        turned = self.view("transpose", mixed, (batch, tokens, heads, size))
        return self.view("reshape", turned, (batch, tokens, heads * size))


def decoder(
    layers: int = 2,
    heads: int = 8,
    groups: int = 4,
    size: int = 16,
    batch: int = 2,
    tokens: int = 5,
    vocabulary: int = 0,
) -> Graph:
    """Layers of grouped attention and of a gated pair, an embedding before and a head behind them (eight times as wide)."""
    width = heads * size
    vocabulary = vocabulary or 8 * width
    b = Layers()
    ids = b.tensor((batch, tokens), "int64", TensorRole.INPUT, name="input_ids")
    with b.frame("", "Model"):
        table = b.tensor((vocabulary, width), role=TensorRole.PARAMETER, name="embed.weight")
        with b.frame("embed", "Embedding"):
            x = b.work("embedding", OpKind.EMBEDDING, [table, ids], (batch, tokens, width))
        for number in range(layers):
            here = f"layers.{number}"
            with b.frame(here, "Layer"):
                normed = b.work("layer_norm", OpKind.NORM, [x], (batch, tokens, width))
                mixed = b.linear(b.attention(normed, heads, groups, size, here), width, f"{here}.o")
                x = b.work("add", OpKind.ELEMENTWISE, [x, mixed], (batch, tokens, width))
                normed = b.work("layer_norm", OpKind.NORM, [x], (batch, tokens, width))
                gate = b.linear(normed, 4 * width, f"{here}.gate")
                up = b.linear(normed, 4 * width, f"{here}.up")
                active = b.work("silu", OpKind.ACTIVATION, [gate], (batch, tokens, 4 * width))
                product = b.work("mul", OpKind.ELEMENTWISE, [active, up], (batch, tokens, 4 * width))
                down = b.linear(product, width, f"{here}.down")
                x = b.work("add", OpKind.ELEMENTWISE, [x, down], (batch, tokens, width))
        x = b.work("layer_norm", OpKind.NORM, [x], (batch, tokens, width))
        logits = b.linear(x, vocabulary, "head")
        b.work("argmax", OpKind.REDUCTION, [logits], (batch, tokens))
    return b.build(generates=True)


def chain(layers: int = 2, width: int = 32) -> Graph:
    """Layers of one product and a norm each: there is no pair to split."""
    b = Layers()
    x = b.tensor((1, 4, width), role=TensorRole.INPUT)
    with b.frame("", "Model"):
        for number in range(layers):
            with b.frame(f"layers.{number}", "Layer"):
                x = b.work("layer_norm", OpKind.NORM, [b.linear(x, width, f"layers.{number}.only")], (1, 4, width))
    return b.build()


def tower(layers: int, width: int = 64, batch: int = 2, tokens: int = 4) -> Graph:
    """Equal layers and nothing else, so that stages of as many layers are equal."""
    b = Layers()
    x = b.tensor((batch, tokens, width), role=TensorRole.INPUT)
    with b.frame("", "Model"):
        for number in range(layers):
            here = f"layers.{number}"
            with b.frame(here, "Layer"):
                wide = b.linear(x, 4 * width, f"{here}.up")
                active = b.work("gelu", OpKind.ACTIVATION, [wide], (batch, tokens, 4 * width))
                x = b.linear(active, width, f"{here}.down")
    return b.build()
