"""What else the machine did while plans were compared."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import m
from cyclescope.core.samples import Load
from cyclescope.explaining.explanation import MeasurementWarning, WarningCode
from cyclescope.explaining.stability import load_warnings
from cyclescope.report import format as fmt
from cyclescope.report.naming.advice import Advice
from cyclescope.report.naming.warnings import warning
from cyclescope.report.page import Note, Severity


def load_advice(found: MeasurementWarning) -> Advice:
    """A warning about the load in words, as it concerns plans that are compared."""
    if found.code is WarningCode.OTHER_LOAD:
        return Advice(
            m(
                "Other processes used {share} of the cores while plans were compared, which makes a plan that needs every "
                "core look slower.",
                share=fmt.share(found.value),
            ),
            m("Run it again on an idle machine."),
        )
    return warning(found)


def load_notes(load: Load) -> Iterator[Note]:
    """The warnings that `load` raises."""
    for advice in map(load_advice, load_warnings(load)):
        yield Note(Severity.WARNING, advice.text, advice.remedy)
