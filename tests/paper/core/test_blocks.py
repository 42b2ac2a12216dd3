"""Attention and feed-forward blocks are found by how data flows, whatever anything is called."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.graph.blocks import AttentionBlock, FeedForwardBlock, attention_blocks, feed_forward_blocks
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole

TOKENS, WIDTH, HEADS, HEAD = 6, 16, 4, 4


@dataclass
class Sketch:
    """A graph that is written down product by product."""

    b: GraphBuilder

    def linear(self, x: int, name: str, width: int, *, bias: bool = False) -> int:
        inner = self.b.spec(x).shape[-1]
        weight = self.b.tensor((width, inner), role=TensorRole.PARAMETER, name=f"{name}.weight")
        reads = [x, weight]
        if bias:
            reads.append(self.b.tensor((width,), role=TensorRole.PARAMETER, name=f"{name}.bias"))
        return self.op(OpKind.MATMUL, reads, (*self.b.spec(x).shape[:-1], width), 2 * TOKENS * inner * width)

    def op(self, kind: OpKind, reads: list[int], shape: tuple[int, ...], flops: int = 0) -> int:
        made = self.b.tensor(shape)
        self.b.op(kind.value, kind, reads, [made], Cost(flops=flops))
        return made

    def heads(self, x: int, count: int) -> int:
        """As attention wants it: shown by heads and turned."""
        shown = self.op(OpKind.VIEW, [x], (1, TOKENS, count, HEAD))
        return self.op(OpKind.VIEW, [shown], (1, count, TOKENS, HEAD))

    def attention(self, x: int, path: str, key_heads: int = HEADS, *, rotated: bool = False) -> int:
        sides = []
        for name, count in (("a", HEADS), ("b", key_heads), ("c", key_heads)):
            side = self.heads(self.linear(x, f"{path}.{name}", count * HEAD, bias=True), count)
            if rotated and name != "c":
                other = self.op(OpKind.COPY, [side], (1, count, TOKENS, HEAD))
                side = self.op(OpKind.ELEMENTWISE, [side, other], (1, count, TOKENS, HEAD))
            if count != HEADS:
                side = self.op(OpKind.COPY, [side], (1, HEADS, TOKENS, HEAD))
            sides.append(side)
        seen = self.op(OpKind.ATTENTION, sides, (1, HEADS, TOKENS, HEAD), 100)
        flat = self.op(OpKind.VIEW, [seen], (1, TOKENS, WIDTH))
        return self.op(OpKind.ELEMENTWISE, [self.linear(flat, f"{path}.d", WIDTH), x], (1, TOKENS, WIDTH))

    def merged(self, x: int, path: str) -> int:
        """One product makes queries, keys and values."""
        whole = self.linear(x, f"{path}.all", 3 * WIDTH)
        sides = [self.heads(self.op(OpKind.VIEW, [whole], (1, TOKENS, WIDTH)), HEADS) for _ in range(3)]
        seen = self.op(OpKind.ATTENTION, sides, (1, HEADS, TOKENS, HEAD), 100)
        flat = self.op(OpKind.VIEW, [seen], (1, TOKENS, WIDTH))
        return self.linear(flat, f"{path}.d", WIDTH)

    def forward(self, x: int, path: str, inner: int, *, gated: bool = False) -> int:
        up = self.linear(x, f"{path}.up", inner)
        bent = self.op(OpKind.ACTIVATION, [up], (1, TOKENS, inner))
        if gated:
            beside = self.linear(x, f"{path}.beside", inner)
            bent = self.op(OpKind.ELEMENTWISE, [bent, beside], (1, TOKENS, inner))
        return self.op(OpKind.ELEMENTWISE, [self.linear(bent, f"{path}.down", WIDTH), x], (1, TOKENS, WIDTH))


def sketched(layer: str, **settings: object) -> Graph:
    """Two layers of the kind `layer` between an embedding and a head with an activation of its own."""
    b = GraphBuilder()
    s = Sketch(b)
    x = b.tensor((1, TOKENS, WIDTH), role=TensorRole.INPUT)
    with b.frame("", "Model"):
        with b.frame("embed", "Embedding"):
            x = s.linear(x, "embed", WIDTH)
        with b.frame("layers", "ModuleList"):
            for k in range(2):
                with b.frame(f"layers.{k}", "Layer"):
                    if layer == "attention":
                        x = s.attention(x, f"layers.{k}", **settings)  # type: ignore[arg-type]
                    elif layer == "merged":
                        x = s.merged(x, f"layers.{k}")
                    else:
                        x = s.forward(x, f"layers.{k}", 32, **settings)  # type: ignore[arg-type]
        with b.frame("head", "Head"):
            s.forward(x, "head", 8)
    return b.build()


def test_queries_keys_values_and_output_of_every_layer() -> None:
    assert attention_blocks(sketched("attention")) == tuple(
        AttentionBlock(*(f"layers.{k}.{name}.weight" for name in "abcd"), HEADS, HEADS, HEAD) for k in range(2)
    )


def test_rotating_queries_and_keys_hides_nothing() -> None:
    assert attention_blocks(sketched("attention", rotated=True)) == attention_blocks(sketched("attention"))


def test_keys_that_several_queries_share() -> None:
    first = attention_blocks(sketched("attention", key_heads=2, rotated=True))[0]
    assert (first.heads, first.key_heads, first.head_width) == (4, 2, HEAD)
    assert (first.key, first.value) == ("layers.0.b.weight", "layers.0.c.weight")


def test_one_product_for_all_three_is_no_block() -> None:
    assert attention_blocks(sketched("merged")) == ()


def test_feed_forward_of_every_layer_and_not_of_the_head() -> None:
    assert feed_forward_blocks(sketched("forward")) == tuple(
        FeedForwardBlock((f"layers.{k}.up.weight",), f"layers.{k}.down.weight", 32) for k in range(2)
    )


def test_what_is_multiplied_with_the_activation_belongs_to_it() -> None:
    blocks = feed_forward_blocks(sketched("forward", gated=True))
    assert [set(block.inputs) for block in blocks] == [
        {f"layers.{k}.up.weight", f"layers.{k}.beside.weight"} for k in range(2)
    ]
    assert {block.width for block in blocks} == {32}


def test_nothing_is_found_where_nothing_is() -> None:
    assert attention_blocks(sketched("forward")) == ()
    assert feed_forward_blocks(sketched("attention")) == ()
