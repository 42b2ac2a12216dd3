"""Facts about a machine on paper: at rest, and with each trouble planted alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from paper_ceilings import TAKEN, ceilings_of

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.core.ceilings import Figure
from cyclescope.core.machine import Machine
from cyclescope.core.samples import Load
from cyclescope.machines.doctor import Calibrated, Facts, Outcome
from cyclescope.machines.fingerprint import freshness
from cyclescope.machines.state import HostState

MACHINE = replace(PAPER_MACHINE, cores=8, memory_bytes=32 << 30, packages=(("torch", "2.13.0"),))
STATE = HostState(
    usable_cores=8,
    online_cores=8,
    quota_cores=None,
    governors=("performance",),
    turbo=False,
    available_bytes=20 << 30,
    swap_bytes=8 << 30,
    swap_used_bytes=0,
    thread_limits=(),
    features=("avx512f", "avx2"),
    engines=(("torch", "2.13.0"),),
    extras=(("transformers", "5.0"),),
    clock_step_ns=40,
)
NOW = datetime.fromisoformat(TAKEN) + timedelta(days=3)
NOISE = Figure(0.01, 0.008, 0.012, 400, "A/A")


def calibrated(machine: Machine = MACHINE, now: datetime = NOW) -> Calibrated:
    ceilings = ceilings_of(MACHINE)
    return Calibrated(ceilings, freshness(ceilings, machine, "torch", now))


REST = Facts(MACHINE, STATE, Load(0.01), calibrated(), NOISE)


def state(**changes: object) -> Facts:
    return replace(REST, state=replace(STATE, **changes))  # type: ignore[arg-type]


FINE = {
    Outcome.CORES_ALL: REST,
    Outcome.QUOTA_NONE: REST,
    Outcome.QUOTA_LIMITS: state(quota_cores=4.0),
    Outcome.LOAD_QUIET: REST,
    Outcome.LOAD_UNKNOWN: replace(REST, load=Load()),
    Outcome.FREQUENCY_STEADY: REST,
    Outcome.FREQUENCY_UNKNOWN: state(governors=()),
    Outcome.TURBO_ON: state(turbo=True),
    Outcome.TURBO_OFF: REST,
    Outcome.MEMORY_AMPLE: REST,
    Outcome.MEMORY_UNKNOWN: state(available_bytes=None),
    Outcome.SWAP_NONE: state(swap_bytes=0),
    Outcome.SWAP_UNUSED: REST,
    Outcome.SWAP_UNKNOWN: state(swap_bytes=None, swap_used_bytes=None),
    Outcome.VIRTUAL_NO: REST,
    Outcome.THREADS_UNSET: REST,
    Outcome.THREADS_FIT: state(thread_limits=(("OMP_NUM_THREADS", "8"), ("MKL_NUM_THREADS", "8"))),
    Outcome.ENGINES_THERE: REST,
    Outcome.EXTRAS_THERE: REST,
    Outcome.EXTRAS_NONE: state(extras=()),
    Outcome.INSTRUCTIONS_VECTOR: REST,
    Outcome.INSTRUCTIONS_UNKNOWN: state(features=()),
    Outcome.CALIBRATION_FRESH: REST,
    Outcome.CLOCK_FINE: REST,
    Outcome.NOISE_LOW: REST,
    Outcome.NOISE_UNKNOWN: replace(REST, noise=None),
}
TROUBLE = {
    Outcome.CORES_FEWER: state(usable_cores=4),
    Outcome.QUOTA_THROTTLED: replace(REST, load=Load(0.01, throttled_ns=3_000_000)),
    Outcome.LOAD_BUSY: replace(REST, load=Load(0.3)),
    Outcome.FREQUENCY_VARIES: state(governors=("performance", "powersave")),
    Outcome.MEMORY_SCARCE: state(available_bytes=1 << 30),
    Outcome.SWAP_USED: state(swap_used_bytes=1 << 20),
    Outcome.VIRTUAL_YES: replace(REST, machine=replace(MACHINE, virtual=True)),
    Outcome.THREADS_MANY: state(thread_limits=(("OMP_NUM_THREADS", "16"),)),
    Outcome.THREADS_FEW: state(thread_limits=(("OMP_NUM_THREADS", "8"), ("MKL_NUM_THREADS", "1"))),
    Outcome.THREADS_ODD: state(thread_limits=(("OMP_NUM_THREADS", "all"),)),
    Outcome.ENGINES_NONE: state(engines=()),
    Outcome.INSTRUCTIONS_SCALAR: state(features=("fma",)),
    Outcome.CALIBRATION_CHANGED: replace(REST, calibrated=calibrated(replace(MACHINE, cores=4))),
    Outcome.CALIBRATION_OLD: replace(REST, calibrated=calibrated(now=NOW + timedelta(days=100))),
    Outcome.CALIBRATION_MISSING: replace(REST, calibrated=Calibrated()),
    Outcome.CALIBRATION_BROKEN: replace(REST, calibrated=Calibrated(broken=1)),
    Outcome.CLOCK_COARSE: state(clock_step_ns=15_600),
    Outcome.NOISE_HIGH: replace(REST, noise=replace(NOISE, value=0.05)),
}
