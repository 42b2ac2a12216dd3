"""The tuple of all strategies, in the order in which they are listed to a reader."""

from __future__ import annotations

from cyclescope.optimizing.algorithm.compiled import Compiled
from cyclescope.optimizing.algorithm.draft import Draft
from cyclescope.optimizing.algorithm.early_exit import EarlyExit
from cyclescope.optimizing.algorithm.engine import OtherEngine
from cyclescope.optimizing.algorithm.exact_gelu import ExactGelu
from cyclescope.optimizing.algorithm.fused_attention import FusedAttention
from cyclescope.optimizing.algorithm.packed import Packed
from cyclescope.optimizing.algorithm.prompt_lookup import PromptLookup
from cyclescope.optimizing.algorithm.relu import Relu
from cyclescope.optimizing.algorithm.static_cache import StaticCache
from cyclescope.optimizing.algorithm.tanh_gelu import TanhGelu
from cyclescope.optimizing.compression.distil import Distil
from cyclescope.optimizing.compression.drop_layers import DropLayers
from cyclescope.optimizing.compression.half import HalfPrecision
from cyclescope.optimizing.compression.int4_weights import Int4Weights
from cyclescope.optimizing.compression.int8_dynamic import Int8Dynamic
from cyclescope.optimizing.compression.int8_static import Int8Static
from cyclescope.optimizing.compression.int8_weights import Int8Weights
from cyclescope.optimizing.compression.low_rank import LowRank
from cyclescope.optimizing.compression.prune_feed_forward import PruneFeedForward
from cyclescope.optimizing.compression.prune_heads import PruneHeads
from cyclescope.optimizing.compression.trim_vocabulary import TrimVocabulary
from cyclescope.optimizing.parallel.batch_size import BatchSize
from cyclescope.optimizing.parallel.grouping import Grouping
from cyclescope.optimizing.parallel.instances import Instances
from cyclescope.optimizing.parallel.overlap import Overlap
from cyclescope.optimizing.parallel.threads import Threads
from cyclescope.optimizing.parallel.threads_between import ThreadsBetween
from cyclescope.optimizing.strategy import Strategy

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
