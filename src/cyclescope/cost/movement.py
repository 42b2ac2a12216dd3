"""Operations that move data and compute nothing: views, copies, fills, lookups.

A view costs nothing. A copy reads and writes what it moves, whether or not it also casts. A lookup (embedding, index,
gather) reads the rows that it takes, not the table, and the indices; it never reads more than the table has, since a row
that is taken twice is read once.
"""

from __future__ import annotations

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved

VIEW = OpCost(OpKind.VIEW, Cost())

# Views by name: those that the schema does not call an alias (`_unsafe_view`, `unsafe_split`, `lift_fresh`) share
# their storage all the same, and the others serve callers that do not know `is_view`.
_VIEWS = (
    "_unsafe_view", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk", "lift_fresh", "detach", "alias", "view",
    "_reshape_alias", "expand", "expand_as", "permute", "transpose", "t", "numpy_T", "mT", "movedim", "swapaxes",
    "squeeze", "unsqueeze", "slice", "select", "narrow", "split", "split_with_sizes", "chunk", "tensor_split", "unbind",
    "unflatten", "diagonal", "unfold", "as_strided", "view_as", "view_as_real", "view_as_complex", "real", "imag",
    "_conj", "conj", "_neg_view", "resolve_conj", "resolve_neg", "t_", "transpose_", "squeeze_", "unsqueeze_",
    "set_", "resize_", "swapaxes_", "as_strided_",
)  # fmt: skip
_COPIES = (
    "clone", "contiguous", "_to_copy", "to", "copy", "cat", "concat", "stack", "hstack", "vstack", "_reshape_copy",
    "reshape", "flatten", "repeat", "tile", "repeat_interleave", "flip", "roll", "tril", "triu", "diag_embed",
    "constant_pad_nd", "pad", "reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d",
    "im2col", "col2im", "pixel_shuffle", "channel_shuffle", "upsample_nearest1d", "upsample_nearest2d",
    "masked_select", "nonzero", "_unique2", "unique_consecutive", "one_hot", "slice_scatter", "select_scatter",
    "view_copy", "expand_copy", "permute_copy", "transpose_copy", "slice_copy", "select_copy", "squeeze_copy",
    "unsqueeze_copy", "split_copy", "split_with_sizes_copy", "unbind_copy", "t_copy", "as_strided_copy",
    "quantize_per_tensor", "dequantize", "_nested_tensor_from_mask", "_nested_from_padded", "to_padded_tensor",
    "_to_dense", "to_dense", "_to_sparse", "_to_sparse_csr", "_to_sparse_csc", "_to_sparse_bsr", "_coalesce", "coalesce",
    "_pack_padded_sequence", "_pad_packed_sequence", "_local_scalar_dense", "item",
)  # fmt: skip
_FILLS = (
    "arange", "range", "linspace", "zeros", "zeros_like", "ones", "ones_like", "full", "full_like", "eye",
    "scalar_tensor", "new_zeros", "new_ones", "new_full", "fill", "zero", "rand", "randn", "randint", "randperm",
    "tril_indices", "triu_indices", "_efficientzerotensor",
)  # fmt: skip
_UNTOUCHED = ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "empty_permuted")
_LOOKUPS = ("index", "_unsafe_index", "index_select", "gather", "take", "take_along_dim")
_STORES = ("index_put", "_unsafe_index_put", "_index_put_impl", "index_copy", "index_fill", "masked_scatter", "put")


def view(call: EngineCall) -> OpCost:
    """The same memory under another shape."""
    return VIEW


def copy(call: EngineCall) -> OpCost:
    """Everything that is read is written somewhere else."""
    return OpCost(OpKind.COPY, moved(call))


def copy_into(call: EngineCall) -> OpCost:
    """`copy_` (destination, source): the destination is overwritten unread."""
    source = call.read_bytes(len(call.reads) - 1)
    return OpCost(OpKind.COPY, Cost(read_bytes=source, written_bytes=call.all_written_bytes))


def fill(call: EngineCall) -> OpCost:
    """A result made from nothing: `arange`, `zeros`, `fill_`. What it resembles or overwrites is not read."""
    return OpCost(OpKind.COPY, Cost(written_bytes=call.all_written_bytes))


def untouched(call: EngineCall) -> OpCost:
    """Memory is set aside and not touched."""
    return OpCost(OpKind.COPY, Cost())


def embedding(call: EngineCall) -> OpCost:
    """`embedding` (table [V, E], indices [...]) -> rows [..., E]."""
    return OpCost(OpKind.EMBEDDING, _looked_up(call))


def embedding_bag(call: EngineCall) -> OpCost:
    """`_embedding_bag` (table [V, E], indices [n], offsets [bags]) -> sums of rows [bags, E]: n rows are read and added."""
    table, indices = call.reads[0], call.reads[1]
    width = table.shape[-1]
    rows = indices.elements * width * table.bytes // max(table.elements, 1)
    others = call.all_read_bytes - call.read_bytes(0)
    written = call.result.bytes if call.result else 0
    read = min(rows, call.read_bytes(0)) + others
    return OpCost(OpKind.EMBEDDING, Cost(0, indices.elements * width, read, written))


def lookup(call: EngineCall) -> OpCost:
    """`index`, `gather`, `index_select` (table, indices...) -> what is taken."""
    return OpCost(OpKind.COPY, _looked_up(call))


def _looked_up(call: EngineCall) -> Cost:
    taken = min(call.result.bytes if call.result else 0, call.read_bytes(0))
    return Cost(read_bytes=taken + call.all_read_bytes - call.read_bytes(0), written_bytes=call.all_written_bytes)


def store(call: EngineCall) -> OpCost:
    """`index_put_`, `index_copy_` (destination, indices..., values): as much is written as there are values.

    Where one value goes to many places (`x[mask] = 0`) the data decide to how many, and the whole destination is the
    upper bound. Out of place (`index_put`) everything is read and written.
    """
    destination = call.result.bytes if call.result else 0
    single = len(call.reads) < 3 or not call.reads[-1].shape
    return OpCost(OpKind.COPY, _stored(call, destination if single else call.reads[-1].bytes))


def scatter(call: EngineCall) -> OpCost:
    """`scatter_` (destination, index, values or absent): one element is written for each of the index."""
    return OpCost(OpKind.COPY, _stored(call, _indexed_bytes(call)))


def scatter_add(call: EngineCall) -> OpCost:
    """`scatter_add_` (destination, index, values): as `scatter_`, and each is added to what is read there."""
    index = call.reads[1].elements
    return OpCost(OpKind.REDUCTION, _added(call, _stored(call, _indexed_bytes(call)), index))


def index_add(call: EngineCall) -> OpCost:
    """`index_add_` (destination, index, values): whole rows are added to what is read there."""
    values = call.reads[2]
    return OpCost(OpKind.REDUCTION, _added(call, _stored(call, values.bytes), values.elements))


def _stored(call: EngineCall, written: int) -> Cost:
    if not call.name.endswith("_"):
        return moved(call)
    others = call.all_read_bytes - call.read_bytes(0)
    return Cost(read_bytes=others, written_bytes=min(written, call.result.bytes if call.result else 0))


def _added(call: EngineCall, stored: Cost, additions: int) -> Cost:
    read_back = stored.written_bytes if call.name.endswith("_") else 0
    return stored + Cost(elementwise_flops=additions, read_bytes=read_back)


def _indexed_bytes(call: EngineCall) -> int:
    destination = call.reads[0]
    return call.reads[1].elements * destination.bytes // max(destination.elements, 1)


FORMULAS: dict[str, Formula] = {
    **{f"aten.{name}": view for name in _VIEWS},
    **{f"aten.{name}": copy for name in _COPIES},
    **{f"aten.{name}": fill for name in _FILLS},
    **{f"aten.{name}": untouched for name in _UNTOUCHED},
    **{f"aten.{name}": lookup for name in _LOOKUPS},
    **{f"aten.{name}": store for name in _STORES},
    "aten.scatter": scatter,
    "aten.scatter_add": scatter_add,
    "aten.scatter_reduce": scatter_add,
    "aten.index_add": index_add,
    "aten.index_reduce": index_add,
    "aten.copy_": copy_into,
    "aten.embedding": embedding,
    "aten._embedding_bag": embedding_bag,
    "aten._embedding_bag_forward_only": embedding_bag,
    "aten.embedding_bag": embedding_bag,
}
