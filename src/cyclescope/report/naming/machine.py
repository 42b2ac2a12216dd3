"""What a machine is and how it is doing, in words: traits of its fingerprint, topics and findings of `doctor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cyclescope.core.message import Message, Text, listed, m
from cyclescope.machines.doctor import Outcome, Topic
from cyclescope.machines.fingerprint import Change, Trait
from cyclescope.report import format as fmt
from cyclescope.report.naming.advice import Advice

TRAITS: Mapping[Trait, Message] = MappingProxyType(
    {
        Trait.PROCESSOR: m("processor"),
        Trait.CORES: m("usable cores"),
        Trait.MEMORY: m("memory"),
        Trait.INSTRUCTION_SET: m("instruction set"),
        Trait.VIRTUAL: m("virtual"),
        Trait.DEVICE: m("device"),
        Trait.ENGINE: m("engine"),
        Trait.VERSION: m("engine version"),
    }
)
TOPICS: Mapping[Topic, Message] = MappingProxyType(
    {
        Topic.CORES: m("cores"),
        Topic.QUOTA: m("CPU limit"),
        Topic.LOAD: m("other load"),
        Topic.FREQUENCY: m("frequency"),
        Topic.TURBO: m("turbo"),
        Topic.MEMORY: m("memory"),
        Topic.SWAP: m("swap"),
        Topic.VIRTUAL: m("virtual machine"),
        Topic.THREADS: m("threads"),
        Topic.ENGINES: m("engines"),
        Topic.EXTRAS: m("extras"),
        Topic.INSTRUCTIONS: m("instructions"),
        Topic.CALIBRATION: m("calibration"),
        Topic.CLOCK: m("clock"),
        Topic.NOISE: m("noise"),
    }
)
_CALIBRATE = m("Run cyclescope calibrate.")
_A_A = m("Two runs of the same work differ by ±{noise} ({n} pairs).")
# The fields are filled in by `pages.doctor`.
FINDINGS: Mapping[Outcome, Advice] = MappingProxyType(
    {
        Outcome.CORES_ALL: Advice(m("All {online} cores are usable.")),
        Outcome.CORES_FEWER: Advice(
            m("{usable} of {online} cores are usable."), m("Lift the CPU affinity (taskset, numactl, --cpuset-cpus).")
        ),
        Outcome.QUOTA_NONE: Advice(m("No limit on this process.")),
        Outcome.QUOTA_LIMITS: Advice(m("A control group allows {quota} of {usable} cores.")),
        Outcome.QUOTA_THROTTLED: Advice(
            m("A control group stopped this process for {throttled} during the check."),
            m("Raise the CPU limit of the container, or use fewer --threads."),
        ),
        Outcome.LOAD_QUIET: Advice(m("Other processes use {busy} of the cores.")),
        Outcome.LOAD_BUSY: Advice(
            m("Other processes use {busy} of the cores."), m("Stop them, or measure after they have ended.")
        ),
        Outcome.LOAD_UNKNOWN: Advice(m("Unknown: the system does not report what else runs.")),
        Outcome.FREQUENCY_STEADY: Advice(m("The governor is {governors}.")),
        Outcome.FREQUENCY_VARIES: Advice(
            m("The governor is {governors}: the clock follows the load."),
            m("Set it to performance: cpupower frequency-set -g performance"),
        ),
        Outcome.FREQUENCY_UNKNOWN: Advice(m("Unknown: the system does not report its frequency governor.")),
        Outcome.TURBO_ON: Advice(m("On: the clock is higher while few cores work.")),
        Outcome.TURBO_OFF: Advice(m("Off: the clock stays at its base.")),
        Outcome.MEMORY_AMPLE: Advice(m("{available} of {memory} are free.")),
        Outcome.MEMORY_SCARCE: Advice(
            m("Only {available} of {memory} are free."), m("End the programs that hold it, or use a smaller model.")
        ),
        Outcome.MEMORY_UNKNOWN: Advice(m("Unknown: the system does not report its free memory.")),
        Outcome.SWAP_NONE: Advice(m("There is no swap.")),
        Outcome.SWAP_UNUSED: Advice(m("{swap}, none of it used.")),
        Outcome.SWAP_USED: Advice(
            m("{used} of {swap} are used: some memory is on the disk."),
            m("Free memory, then run swapoff -a and swapon -a."),
        ),
        Outcome.SWAP_UNKNOWN: Advice(m("Unknown: the system does not report its swap.")),
        Outcome.VIRTUAL_NO: Advice(m("The processor reports no virtual machine.")),
        Outcome.VIRTUAL_YES: Advice(
            m("This is a virtual machine: the load of other guests on the host is not visible."),
            m("Repeat important measurements at another time, or rent the whole host."),
        ),
        Outcome.THREADS_UNSET: Advice(m("No variable limits the threads; engines use {cores}.")),
        Outcome.THREADS_FIT: Advice(m("{limits}: equal to the usable cores.")),
        Outcome.THREADS_MANY: Advice(
            m("{limits}, more than the {cores} usable cores: threads wait for each other."),
            m("Unset it, or lower it."),
        ),
        Outcome.THREADS_FEW: Advice(
            m("{limits}, fewer than the {cores} usable cores."), m("Unset it to use all cores.")
        ),
        Outcome.THREADS_ODD: Advice(m("{limits} is not a number of threads."), m("Unset it.")),
        Outcome.ENGINES_THERE: Advice(m("{engines}")),
        Outcome.ENGINES_NONE: Advice(m("No engine is installed."), "pip install 'cyclescope[torch]'"),
        Outcome.EXTRAS_THERE: Advice(m("{extras}")),
        Outcome.EXTRAS_NONE: Advice(m("No extra is installed.")),
        Outcome.INSTRUCTIONS_VECTOR: Advice(m("{features}")),
        Outcome.INSTRUCTIONS_SCALAR: Advice(
            m("No wide vectors: {features}."), m("Engines fall back to slow code here. Use another machine.")
        ),
        Outcome.INSTRUCTIONS_UNKNOWN: Advice(m("Unknown: the system does not report the instruction set.")),
        Outcome.CALIBRATION_FRESH: Advice(m("Fresh, measured at {taken}.")),
        Outcome.CALIBRATION_CHANGED: Advice(m("Stale: the machine has changed since {taken}: {changes}."), _CALIBRATE),
        Outcome.CALIBRATION_OLD: Advice(m("Stale: it is {days} days old."), _CALIBRATE),
        Outcome.CALIBRATION_MISSING: Advice(m("There is no calibration of this machine."), _CALIBRATE),
        Outcome.CALIBRATION_BROKEN: Advice(m("The stored calibration cannot be read."), _CALIBRATE),
        Outcome.CLOCK_FINE: Advice(m("Its step is {step}.")),
        Outcome.CLOCK_COARSE: Advice(
            m("Its step is {step}, longer than small operations."), m("Choose a finer clock source (tsc) at boot.")
        ),
        Outcome.NOISE_LOW: Advice(_A_A),
        Outcome.NOISE_HIGH: Advice(
            _A_A, m("Measure longer (such as --budget 2m), or measure when the machine is idle.")
        ),
        Outcome.NOISE_UNKNOWN: Advice(m("Unknown: the trial needs PyTorch.")),
    }
)


def changes(found: Sequence[Change]) -> Text:
    """What changed, one trait after the other."""
    return listed(
        m("{trait}: {before} → {now}", trait=TRAITS[c.trait], before=c.before or fmt.UNKNOWN, now=c.now or fmt.UNKNOWN)
        for c in found
    )
