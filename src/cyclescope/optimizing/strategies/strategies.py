"""The tuple of all strategies, in the order in which they are listed to a reader."""

from __future__ import annotations

from cyclescope.optimizing.strategies.algorithm.compiled import Compiled
from cyclescope.optimizing.strategies.algorithm.draft import Draft
from cyclescope.optimizing.strategies.algorithm.early_exit import EarlyExit
from cyclescope.optimizing.strategies.algorithm.engine import OtherEngine
from cyclescope.optimizing.strategies.algorithm.exact_gelu import ExactGelu
from cyclescope.optimizing.strategies.algorithm.fused_attention import FusedAttention
from cyclescope.optimizing.strategies.algorithm.packed import Packed
from cyclescope.optimizing.strategies.algorithm.prompt_lookup import PromptLookup
from cyclescope.optimizing.strategies.algorithm.relu import Relu
from cyclescope.optimizing.strategies.algorithm.static_cache import StaticCache
from cyclescope.optimizing.strategies.algorithm.tanh_gelu import TanhGelu
from cyclescope.optimizing.strategies.compression.distil import Distil
from cyclescope.optimizing.strategies.compression.drop_layers import DropLayers
from cyclescope.optimizing.strategies.compression.half import HalfPrecision
from cyclescope.optimizing.strategies.compression.int4_weights import Int4Weights
from cyclescope.optimizing.strategies.compression.int8_dynamic import Int8Dynamic
from cyclescope.optimizing.strategies.compression.int8_head import Int8Head
from cyclescope.optimizing.strategies.compression.int8_static import Int8Static
from cyclescope.optimizing.strategies.compression.int8_weights import Int8Weights
from cyclescope.optimizing.strategies.compression.low_rank import LowRank
from cyclescope.optimizing.strategies.compression.prune_feed_forward import PruneFeedForward
from cyclescope.optimizing.strategies.compression.prune_heads import PruneHeads
from cyclescope.optimizing.strategies.compression.trim_vocabulary import TrimVocabulary
from cyclescope.optimizing.strategies.parallel.batch_size import BatchSize
from cyclescope.optimizing.strategies.parallel.grouping import Grouping
from cyclescope.optimizing.strategies.parallel.instances import Instances
from cyclescope.optimizing.strategies.parallel.overlap import Overlap
from cyclescope.optimizing.strategies.parallel.threads import Threads
from cyclescope.optimizing.strategies.parallel.threads_between import ThreadsBetween
from cyclescope.optimizing.strategies.strategy import Strategy

STRATEGIES: tuple[Strategy, ...] = (
    Threads(),
    ThreadsBetween(),
    Instances(),
    BatchSize(),
    Grouping(),
    Overlap(),
    OtherEngine(),
    Compiled(),
    FusedAttention(),
    TanhGelu(),
    ExactGelu(),
    Relu(),
    Packed(),
    StaticCache(),
    PromptLookup(),
    Draft(),
    EarlyExit(),
    Int8Head(),
    Int8Dynamic(),
    Int8Static(),
    Int8Weights(),
    Int4Weights(),
    HalfPrecision(),
    PruneHeads(),
    PruneFeedForward(),
    DropLayers(),
    LowRank(),
    TrimVocabulary(),
    Distil(),
)
