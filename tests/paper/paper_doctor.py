"""Facts about a machine on paper: at rest, and with each trouble planted alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from paper_ceilings import TAKEN, ceilings_of

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.core.ceilings import Figure
from cyclescope.core.machine import Machine
from cyclescope.core.samples import Load
from cyclescope.machines.doctor import Calibrated, CheckOutcome, Learning, MachineFacts
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


def calibrated(machine: Machine = MACHINE, now: datetime = NOW, *, noise: Figure | None = NOISE) -> Calibrated:
    ceilings = replace(ceilings_of(MACHINE), noise=noise)
    return Calibrated(ceilings, freshness(ceilings, machine, "torch", now))


REST = MachineFacts(MACHINE, STATE, Load(0.01), calibrated(), NOISE)


def state(**changes: object) -> MachineFacts:
    return replace(REST, state=replace(STATE, **changes))  # type: ignore[arg-type]


FINE = {
    CheckOutcome.LEARNING_FRESH: replace(REST, calibrated=replace(REST.calibrated, learned=Learning.FRESH)),
    CheckOutcome.CORES_ALL: REST,
    CheckOutcome.QUOTA_NONE: REST,
    CheckOutcome.QUOTA_LIMITS: state(quota_cores=4.0),
    CheckOutcome.LOAD_QUIET: REST,
    CheckOutcome.LOAD_UNKNOWN: replace(REST, load=Load()),
    CheckOutcome.FREQUENCY_STEADY: REST,
    CheckOutcome.FREQUENCY_UNKNOWN: state(governors=()),
    CheckOutcome.TURBO_ON: state(turbo=True),
    CheckOutcome.TURBO_OFF: REST,
    CheckOutcome.MEMORY_AMPLE: REST,
    CheckOutcome.MEMORY_UNKNOWN: state(available_bytes=None),
    CheckOutcome.SWAP_NONE: state(swap_bytes=0),
    CheckOutcome.SWAP_UNUSED: REST,
    CheckOutcome.SWAP_UNKNOWN: state(swap_bytes=None, swap_used_bytes=None),
    CheckOutcome.VIRTUAL_NO: REST,
    CheckOutcome.THREADS_UNSET: REST,
    CheckOutcome.THREADS_FIT: state(thread_limits=(("OMP_NUM_THREADS", "8"), ("MKL_NUM_THREADS", "8"))),
    CheckOutcome.ENGINES_THERE: REST,
    CheckOutcome.EXTRAS_THERE: REST,
    CheckOutcome.EXTRAS_NONE: state(extras=()),
    CheckOutcome.INSTRUCTIONS_VECTOR: REST,
    CheckOutcome.INSTRUCTIONS_UNKNOWN: state(features=()),
    CheckOutcome.CALIBRATION_FRESH: REST,
    CheckOutcome.CLOCK_FINE: REST,
    CheckOutcome.NOISE_LOW: REST,
    CheckOutcome.NOISE_UNKNOWN: replace(REST, noise=None),
}
TROUBLE = {
    CheckOutcome.CORES_FEWER: state(usable_cores=4),
    CheckOutcome.QUOTA_THROTTLED: replace(state(quota_cores=1.5), load=Load(0.01, throttled_ns=3_000_000)),
    CheckOutcome.LOAD_BUSY: replace(REST, load=Load(0.3)),
    CheckOutcome.FREQUENCY_VARIES: state(governors=("performance", "powersave")),
    CheckOutcome.MEMORY_SCARCE: state(available_bytes=1 << 30),
    CheckOutcome.SWAP_USED: state(swap_used_bytes=1 << 20),
    CheckOutcome.VIRTUAL_YES: replace(REST, machine=replace(MACHINE, virtual=True)),
    CheckOutcome.THREADS_MANY: state(thread_limits=(("OMP_NUM_THREADS", "16"),)),
    CheckOutcome.THREADS_FEW: state(thread_limits=(("OMP_NUM_THREADS", "8"), ("MKL_NUM_THREADS", "1"))),
    CheckOutcome.THREADS_ODD: state(thread_limits=(("OMP_NUM_THREADS", "all"),)),
    CheckOutcome.ENGINES_NONE: state(engines=()),
    CheckOutcome.INSTRUCTIONS_SCALAR: state(features=("fma",)),
    CheckOutcome.CALIBRATION_CHANGED: replace(REST, calibrated=calibrated(replace(MACHINE, cores=4))),
    CheckOutcome.CALIBRATION_OLD: replace(REST, calibrated=calibrated(now=NOW + timedelta(days=100))),
    CheckOutcome.CALIBRATION_DISTURBED: replace(REST, calibrated=calibrated(noise=None)),
    CheckOutcome.CALIBRATION_MISSING: replace(REST, calibrated=Calibrated()),
    CheckOutcome.CALIBRATION_BROKEN: replace(REST, calibrated=Calibrated(broken=1)),
    CheckOutcome.LEARNING_STALE: replace(REST, calibrated=replace(REST.calibrated, learned=Learning.STALE)),
    CheckOutcome.LEARNING_BROKEN: replace(REST, calibrated=replace(REST.calibrated, learned=Learning.BROKEN)),
    CheckOutcome.CLOCK_COARSE: state(clock_step_ns=15_600),
    CheckOutcome.NOISE_HIGH: replace(REST, noise=replace(NOISE, value=0.05)),
}
