"""How a figure of the catalogue follows from its source, by the codes of `machines.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, m

REMARKS: Mapping[str, Message] = MappingProxyType(
    {
        "half-of-sparse": m("tensor cores: half of the figure with sparsity"),
        "eighth-of-hgx": m("an eighth of an HGX B200; tensor cores: half of the figure with sparsity"),
        "float32-sums": m("float16 products with sums in float32"),
        "half-of-card": m("half of the card, which is two devices"),
        "zen-2": m("Zen 2: two 256-bit multiply-adds a cycle"),
        "zen-3": m("Zen 3: two 256-bit multiply-adds a cycle"),
        "zen-4": m("Zen 4: one 512-bit multiply-add or dot product of bfloat16 pairs a cycle"),
        "zen-4c": m("Zen 4c: one 512-bit multiply-add or dot product of bfloat16 pairs a cycle"),
        "zen-5": m("Zen 5: two 512-bit multiply-adds or dot products of bfloat16 pairs a cycle"),
        "ice-lake": m("Ice Lake: two 512-bit multiply-adds a cycle; memory: 8 channels of DDR4-3200"),
        "sapphire-rapids": m(
            "Sapphire Rapids: two 512-bit multiply-adds a cycle, AMX tiles in bfloat16; memory: 8 channels of DDR5-4800"
        ),
        "neoverse-v1": m("Neoverse V1: four 128-bit or two 256-bit multiply-adds a cycle"),
        "neoverse-v2": m("Neoverse V2: four 128-bit multiply-adds a cycle"),
        "both-directions": m("half of the figure for both directions"),
        "network-adapter": m("one network adapter for each device"),
        "larger-version": m("the larger of its two versions"),
    }
)
