"""All commands, and what their help says of each: first a line for the list of commands, then the rest.

A command is the function of its name in the module of its name, which is imported when the command is called. The name of one
that is a word of Python has an underscore behind it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword

from cyclescope.core.message import N_

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "measure": (
        N_("Measure the compute cycle of a model, from text in to text out, and account for all of its time."),
        N_(
            "Without --text and --tokens, a built-in sentence is measured. Ctrl-C ends the measurement; the "
            "partial result is reported and saved."
        ),
    ),
    "predict": (
        N_("Predict the compute cycle of a model that was not run, on this machine or on one of the catalogue."),
        N_(
            "The model is traced without its weights or their memory, and a timing model gives every operation its time. "
            "Where its errors on unseen cycles are known, every figure has an interval. "
            "--on this needs `cyclescope calibrate`."
        ),
    ),
    "import": (
        N_("Import a trace that a profiler or another engine has recorded, and explain it like a measured cycle."),
        N_(
            "The format is recognised from the content. What was dropped, cut or could not be tied is reported first. "
            "A folder with the files of several ranks is one import. The saved run is the input of `cyclescope show` and "
            "`cyclescope compare`."
        ),
    ),
    "compare": (
        N_("Compare two models or saved runs: is B faster or slower than A, by how much, and where?"),
        N_(
            "Two models, or one model with different options (--a threads=1 --b threads=2), are measured in "
            "interleaved runs, so that drift of the machine affects both alike. With a saved run the interval is "
            "wider."
        ),
    ),
    "optimize": (
        N_("Find the fastest way to run MODEL on these texts on this machine, and prove it."),
        N_(
            "Plans run in separate processes, interleaved with the unmodified model, and their outputs are "
            "compared. The best plan is confirmed in a longer run, and the contribution of each of its parts is "
            "measured. The recipe is the input of `cyclescope apply` and `cyclescope verify`."
        ),
    ),
    "apply": (
        N_("Generate standalone Python code for the optimized model, with the files that it needs."),
        N_("The code then runs on a few texts, and its outputs are compared with those of the measured plan."),
    ),
    "verify": (
        N_(
            "Check whether a recipe still holds on this machine. Exit code 0: it holds, 1: it does not, 2: inconclusive."
        ),
        N_(
            "The recipe's plan and its baseline run interleaved, and their outputs are compared. Without a text, "
            "the input is synthetic tokens of the shape that the recipe was measured with."
        ),
    ),
    "show": (N_("Show a saved run in any format, without running anything."),),
    "trace": (
        N_("Trace the structure of a model without its weights or their memory: operations, FLOPs, bytes, data flow."),
    ),
    "tokens": (
        N_("Compare the cost of texts: tokens per character, tokenization time and, with --cycle, the whole cycle."),
        N_(
            "Without a text, one built-in sentence is compared in eight languages. Weights are loaded only with --cycle."
        ),
    ),
    "models": (N_("List the built-in architectures with their sizes and the source of each configuration."),),
    "calibrate": (
        N_("Measure the peak performance of this machine: matrix products, memory bandwidth, call overhead and noise."),
        N_(
            "The calibration is stored, and later measurements on this machine use it. A stored calibration that "
            "was taken on a clearly quieter machine stays, unless --force is given. Ctrl-C stores nothing."
        ),
    ),
    "doctor": (N_("Check whether this machine is fit for measuring now, and suggest fixes. Takes a few seconds."),),
    "define": (N_("Define a metric exactly, and show how other tools define the same name."),),
    "demo": (
        N_(
            "Measure a pretrained MiniLM on real sentences, then the bert-base-chinese architecture on a Chinese sentence."
        ),
    ),
}


def home_of(name: str) -> str:
    """The name of the module and of the function of the command `name`."""
    return f"{name}_" if iskeyword(name) else name
