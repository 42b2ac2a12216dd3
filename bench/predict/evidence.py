"""How far the analytic model is off on times that others measured, or that were measured here: rows for
`src/cyclescope/predicting/evidence.toml`.

    python bench/predict/evidence.py --data DIR       # layers of vidur's tables, by the datasheets of the catalogue
    python bench/predict/evidence.py --truths DIR     # what bench/predict/this_machine.py measured, by the stored calibration

Each group (a model on a device; an architecture) counts alike: it gives as many quantiles of its errors as the others.
Beside them stands how much of each group, or of each device, an interval from all others would have held.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.plan import Plan
from cyclescope.core.units import FloatArray
from cyclescope.machines.catalog import KnownMachine, known_machines
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.evidence import held_by_others
from cyclescope.predicting.target import THIS, target

QUANTILES = 9  # of each group
_MOST_ROWS = 80  # of a table, evenly chosen by the number of tokens
_DTYPE = "float16"
Groups = dict[str, list[float]]


def machine_named(folder: str) -> KnownMachine | None:
    """The row of the catalogue that the folder of a device means: of several the one with the most memory."""
    rows = [row for row in known_machines() if folder.lower() in row.name.lower().split() and "SXM" in row.name]
    return max(rows, key=lambda row: row.memory_bytes, default=None)


class Layer:
    """The operations of a decoder layer as vidur times them, each as one operation of a graph."""

    def __init__(self, row: Mapping[str, float]) -> None:
        self.builder = GraphBuilder()
        self.tokens, self.wide = int(row["num_tokens"]), int(row["n_embd"])
        parts = int(row["num_tensor_parallel_workers"])
        size = self.wide // int(row["n_head"])
        self.heads, kv = int(row["n_head"]) * size // parts, max(1, int(row["n_kv_head"]) // parts) * size
        self.qkv = self.heads + 2 * kv
        self.rotated = self.heads + kv
        self.inner = int(row["n_expanded_embd"]) // parts
        self.gates = 1 + int(row.get("use_gated_mlp", 0))

    def graph(self, names: Sequence[str]) -> Graph:
        """The operations `names`, in this order."""
        made = {
            "attn_pre_proj": lambda: self.product(self.wide, self.qkv),
            "attn_post_proj": lambda: self.product(self.heads, self.wide),
            "mlp_up_proj": lambda: self.product(self.wide, self.gates * self.inner),
            "mlp_down_proj": lambda: self.product(self.inner, self.wide),
            "attn_rope": lambda: self.moving(self.rotated, self.rotated),
            "mlp_act": lambda: self.moving(self.gates * self.inner, self.inner),
            "add": lambda: self.moving(2 * self.wide, self.wide),
        }
        for name in names:
            made.get(name, lambda: self.moving(self.wide, self.wide))()
        return self.builder.build(traced_on="vidur")

    def _given(self, shape: tuple[int, ...], role: TensorRole) -> int:
        return self.builder.tensor(shape, _DTYPE, role)

    def product(self, k: int, n: int) -> None:
        x, w = self._given((self.tokens, k), TensorRole.INPUT), self._given((n, k), TensorRole.PARAMETER)
        y = self.builder.tensor((self.tokens, n), _DTYPE)
        moved = Cost(2 * self.tokens * k * n, 0, 2 * (self.tokens * k + n * k), 2 * self.tokens * n)
        with self.builder.frame("product", "Linear"):
            self.builder.op("linear", OpKind.MATMUL, (x, w), (y,), moved)

    def moving(self, read: int, written: int) -> None:
        x = self._given((self.tokens, read), TensorRole.INPUT)
        y = self.builder.tensor((self.tokens, written), _DTYPE)
        cost = Cost(0, self.tokens * written, 2 * self.tokens * read, 2 * self.tokens * written)
        with self.builder.frame("moving", "Module"):
            self.builder.op("elementwise", OpKind.ELEMENTWISE, (x,), (y,), cost)


def layer_errors(folder: Path) -> tuple[Groups, list[tuple[float, float]], set[str]]:
    """ln(true ÷ predicted) of whole layers by model and device, of single operations with their times, and the devices."""
    from tables.reading import read_tables

    model, plan = AnalyticModel(), Plan(device="cuda", dtype=_DTYPE)
    groups: Groups = {}
    operations: list[tuple[float, float]] = []
    machines: set[str] = set()
    for table in read_tables(folder).layers:
        row = machine_named(table.machine)
        if row is None:
            print(f"{table.path}: no SXM device {table.machine} in the catalogue: left out", file=sys.stderr)
            continue
        machines.add(row.name)
        names = [name for name in table.seconds if name != "emb"]
        order = np.argsort(table.columns["num_tokens"], kind="stable")
        for k in order[np.linspace(0, len(order) - 1, min(_MOST_ROWS, len(order))).astype(int)].tolist():
            graph = Layer({name: float(column[k]) for name, column in table.columns.items()}).graph(names)
            said = model.predict(graph, plan, row.ceilings).slot_ns
            true = np.asarray([table.seconds[name][k] for name in names]) * 1e9
            groups.setdefault(f"{table.variant.removesuffix('.mlp')} on {table.machine}", []).append(
                float(np.log(true.sum() / said.sum()))
            )
            of_op = said[graph.slots.of_op]
            operations += zip(np.log(true / of_op).tolist(), true.tolist(), strict=True)
    return groups, operations, machines


def truth_errors(folder: Path) -> tuple[Groups, list[tuple[float, float]], set[str]]:
    """The same of whole cycles that were measured here."""
    from this_machine import CASES, ROUNDS, observed, place

    from cyclescope.store.run_file import load

    found = target(THIS, "torch")
    groups: Groups = {}
    operations: list[tuple[float, float]] = []
    for case in CASES:
        cycles = [load(path) for number in ROUNDS if (path := place(folder, case, number)).exists()]
        if not cycles:
            continue
        seen = [observed(case.name, case.model, cycle, found.ceilings) for cycle in cycles]
        said = AnalyticModel().predict(cycles[0].graph, cycles[0].plan, found.ceilings).slot_ns
        wall = float(np.exp(np.mean([np.log(each.wall_ns) for each in seen])))
        groups.setdefault(case.model, []).append(float(np.log(wall / np.nansum(said))))
        at = cycles[0].graph.slots.of_op
        true = seen[0].slot_ns[at]
        kept = (true > 0) & (said[at] > 0)
        operations += zip(np.log(true[kept] / said[at][kept]).tolist(), true[kept].tolist(), strict=True)
    return groups, operations, {found.machine.processor}


def weighted_quantiles(pairs: Sequence[tuple[float, float]], count: int = 41) -> list[float]:
    """Quantiles of errors that are weighted by their times."""
    errors, weights = np.asarray(pairs).T
    order = np.argsort(errors)
    mass = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    levels = (np.arange(count) + 0.5) / count
    return np.interp(levels, mass, errors[order]).tolist()


def report(groups: Groups, operations: Sequence[tuple[float, float]], machines: set[str], row: str) -> None:
    print(row)
    print(f"machines = [{', '.join(f'{name!r}' for name in sorted(machines))}]".replace("'", '"'))
    print(f"operations = [{_numbers(weighted_quantiles(operations))}]")
    quantiles = {name: _quantiles(errors) for name, errors in groups.items()}
    for name, errors in quantiles.items():
        print(f'[[evidence.group]]\nof = "{name}"\ncycles = [{_numbers(errors)}]')
    print()
    for name, inside in held(groups):
        print(f"# {name:44} median {np.median(groups[name]):+.2f}; held by the others' interval: {inside:.0%}")


def held(groups: Groups) -> Iterator[tuple[str, float]]:
    """How much of each group an interval from all others holds."""
    kept = {name: tuple(_quantiles(errors)) for name, errors in groups.items()}
    for name in groups:
        yield name, held_by_others(name, kept)


def _quantiles(errors: Sequence[float]) -> list[float]:
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    found: FloatArray = np.quantile(np.asarray(errors), levels)
    return sorted(errors) if len(errors) < QUANTILES else found.tolist()


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--truths", type=Path)
    asked = parser.parse_args()
    head = '[[evidence]]\ntiming_model = "analytic"\nengine = "torch"'
    if asked.data is not None:
        row = f'{head}\ndevice = "cuda"\norigin = "datasheet"\non = "layers-by-other-engines"\nsource = "bench/predict/evidence.py --data"\nwider = 1.5\ndtypes = ["float16", "bfloat16"]'
        report(*layer_errors(asked.data), row)
    if asked.truths is not None:
        row = f'{head}\ndevice = "cpu"\norigin = "measured"\non = "whole-models-of-another-machine"\nsource = "bench/predict/evidence.py --truths"\ndtypes = ["float32"]'
        report(*truth_errors(asked.truths), row)


if __name__ == "__main__":
    main()
