"""The bar: our plan, found within a budget, beside every popular way to run the model by hand, in one run of turns.

    python bench/optimize.py [--case NAME …] [--budget 120s] [--rounds 12] [--quick] [--json FILE] [--folder FOLDER]

For every case all peers (`bench/peers`, each configured by hand as its users do, none through cyclescope) are made ready
in processes of their own, and their outputs are compared with those of transformers. Then `optimize` looks for a plan
twice, once without drift and once with as much as the fastest peer in int8 drifts (1e-3 at least); looking is not timed
against anybody. Then all run in turns, A B C … C B A, and every ratio comes from the same rounds, with its 99 % interval.

A cycle is the same for all: made-up token ids are in hand; of texts each is tokenized by the model's own tokenizer
within the cycle and is a call of its own. With made-up ids so many tokens are written as are asked for.

What cannot be made ready, or fails later, is a row with its reason. With `--json` every finished case is kept, and a
second start goes on with those that are missing. `--folder` keeps the models and exported files for it too.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bar.cases import Case, all_cases, peers_of
from bar.race import run_case
from bar.record import Outcome, read, write
from bar.table import markdown
from cyclescope.cli.duration import duration
from cyclescope.core.errors import CyclescopeError

_READY_S = 15.0  # to make a peer ready, on average over those that compile and those that load
_LEAST_ROUNDS = 3
_QUICK_ROUNDS, _QUICK_BUDGET_S = 4, 30.0


def estimate_s(cases: list[Case], budget_s: float, done: list[Outcome]) -> float:
    """What `cases` will take: as those that are done took, else by the budget and the number of peers."""
    took = [outcome.took_s for outcome in done if outcome.budget_s == budget_s]
    if took:
        return len(cases) * sum(took) / len(took)
    return sum(2.5 * budget_s + 2 * _READY_S * len(peers_of(case)) for case in cases)


def chosen(names: list[str]) -> list[Case]:
    """The cases whose names begin with one of `names`; all of them where none is given."""
    return [case for case in all_cases() if not names or any(case.name.startswith(name) for name in names)]


def tell(text: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.1f}  {text}", file=sys.stderr, flush=True)


def run(cases: list[Case], folder: Path, budget_s: float, rounds: int, kept: Path | None) -> list[Outcome]:
    """All cases that are not in `kept` yet; a case that fails as a whole is told and left out."""
    done = read(kept)
    there = {outcome.case for outcome in done}
    left = [case for case in cases if case.name not in there]
    for number, case in enumerate(left):
        rest = timedelta(seconds=round(estimate_s(left[number:], budget_s, done)))
        print(f"{case.name} ({number + 1} of {len(left)}; about {rest} to go)", file=sys.stderr, flush=True)
        try:
            done.append(run_case(case, folder, budget_s, rounds, tell))
        except CyclescopeError as error:
            print(f"{case.name} failed: {error.fact} {error.cause}", file=sys.stderr, flush=True)
            continue
        if kept is not None:
            write(kept, done)
    names = {case.name for case in cases}
    return [outcome for outcome in done if outcome.case in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="+", default=[], metavar="NAME", help="the beginning of a name; several")
    parser.add_argument("--list", action="store_true", help="print the names of all cases")
    parser.add_argument("--budget", default="120s", help="of each of the two searches: 90s, 2m")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--quick", action="store_true", help="few rounds and little budget: to see whether it works")
    parser.add_argument("--json", type=Path, help="keep what is finished here, and go on from it")
    parser.add_argument("--folder", type=Path, help="keep models and exported files here")
    options = parser.parse_args()
    if options.list:
        print("\n".join(case.name for case in all_cases()))
        return
    cases = chosen(options.case)
    if not cases:
        parser.error(f"no case begins with {' or '.join(options.case)}; see --list")
    budget_s = _QUICK_BUDGET_S if options.quick else duration("--budget", options.budget)
    rounds = _QUICK_ROUNDS if options.quick else max(_LEAST_ROUNDS, options.rounds)
    with TemporaryDirectory(prefix="cyclescope-bar-") as temporary:
        folder = options.folder or Path(temporary)
        print(markdown(run(cases, folder, budget_s, rounds, options.json)))


if __name__ == "__main__":
    main()
