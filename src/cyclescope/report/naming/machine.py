"""What a machine is and how it is doing, in words: traits of its fingerprint, topics and findings of `doctor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cyclescope.core.message import Message, Text, listed, m
from cyclescope.machines.doctor import CheckOutcome, Topic
from cyclescope.machines.fingerprint import Trait, TraitChange
from cyclescope.report import format as fmt
from cyclescope.report.naming.advice import Advice

TRAITS: Mapping[Trait, Message] = MappingProxyType(
    {
        Trait.PROCESSOR: m("processor"),
        Trait.CORES: m("usable cores"),
        Trait.QUOTA: m("CPU quota in cores"),
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
        Topic.LEARNING: m("timing models"),
        Topic.CLOCK: m("clock"),
        Topic.NOISE: m("noise"),
    }
)
_CALIBRATE = m("Run cyclescope calibrate.")
_LEARN = m("Run cyclescope calibrate --learn.")
_A_A = m("Two runs of the same work differ by ±{noise} ({n} pairs).")
# The fields are filled in by `pages.doctor`.
FINDINGS: Mapping[CheckOutcome, Advice] = MappingProxyType(
    {
        CheckOutcome.CORES_ALL: Advice(m("All {online} cores are usable.")),
        CheckOutcome.CORES_FEWER: Advice(
            m("{usable} of {online} cores are usable."), m("Lift the CPU affinity (taskset, numactl, --cpuset-cpus).")
        ),
        CheckOutcome.QUOTA_NONE: Advice(m("No limit on this process.")),
        CheckOutcome.QUOTA_LIMITS: Advice(m("Control groups allow {quota} of {usable} cores.")),
        CheckOutcome.QUOTA_THROTTLED: Advice(
            m(
                "Control groups allow {quota} of {usable} cores, and stopped this process for {throttled} during the check."
            ),
            m("Raise the CPU limit of the container, or use --threads {cores}."),
        ),
        CheckOutcome.LOAD_QUIET: Advice(m("Other processes use {busy} of the cores.")),
        CheckOutcome.LOAD_BUSY: Advice(
            m("Other processes use {busy} of the cores."), m("Stop them, or measure after they have ended.")
        ),
        CheckOutcome.LOAD_UNKNOWN: Advice(m("Unknown: the system does not report what else runs.")),
        CheckOutcome.FREQUENCY_STEADY: Advice(m("The governor is {governors}.")),
        CheckOutcome.FREQUENCY_VARIES: Advice(
            m("The governor is {governors}: the clock follows the load."),
            m("Set it to performance: cpupower frequency-set -g performance"),
        ),
        CheckOutcome.FREQUENCY_UNKNOWN: Advice(m("Unknown: the system does not report its frequency governor.")),
        CheckOutcome.TURBO_ON: Advice(m("On: the clock is higher while few cores work.")),
        CheckOutcome.TURBO_OFF: Advice(m("Off: the clock stays at its base.")),
        CheckOutcome.MEMORY_AMPLE: Advice(m("{available} of {memory} are free.")),
        CheckOutcome.MEMORY_SCARCE: Advice(
            m("Only {available} of {memory} are free."), m("End the programs that hold it, or use a smaller model.")
        ),
        CheckOutcome.MEMORY_UNKNOWN: Advice(m("Unknown: the system does not report its free memory.")),
        CheckOutcome.SWAP_NONE: Advice(m("There is no swap.")),
        CheckOutcome.SWAP_UNUSED: Advice(m("{swap}, none of it used.")),
        CheckOutcome.SWAP_USED: Advice(
            m("{used} of {swap} are used: some memory is on the disk."),
            m("Free memory, then run swapoff -a and swapon -a."),
        ),
        CheckOutcome.SWAP_UNKNOWN: Advice(m("Unknown: the system does not report its swap.")),
        CheckOutcome.VIRTUAL_NO: Advice(m("The processor reports no virtual machine.")),
        CheckOutcome.VIRTUAL_YES: Advice(
            m("This is a virtual machine: the load of other guests on the host is not visible."),
            m("Repeat important measurements at another time, or rent the whole host."),
        ),
        CheckOutcome.THREADS_UNSET: Advice(m("No variable limits the threads; engines use {cores}.")),
        CheckOutcome.THREADS_FIT: Advice(m("{limits}: equal to the usable cores.")),
        CheckOutcome.THREADS_MANY: Advice(
            m("{limits}, more than the {cores} usable cores: threads wait for each other."),
            m("Unset it, or lower it."),
        ),
        CheckOutcome.THREADS_FEW: Advice(
            m("{limits}, fewer than the {cores} usable cores."), m("Unset it to use all cores.")
        ),
        CheckOutcome.THREADS_ODD: Advice(m("{limits} is not a number of threads."), m("Unset it.")),
        CheckOutcome.ENGINES_THERE: Advice(m("{engines}")),
        CheckOutcome.ENGINES_NONE: Advice(m("No engine is installed."), "pip install 'cyclescope[torch]'"),
        CheckOutcome.EXTRAS_THERE: Advice(m("{extras}")),
        CheckOutcome.EXTRAS_NONE: Advice(m("No extra is installed.")),
        CheckOutcome.INSTRUCTIONS_VECTOR: Advice(m("{features}")),
        CheckOutcome.INSTRUCTIONS_SCALAR: Advice(
            m("No wide vectors: {features}."), m("Engines fall back to slow code here. Use another machine.")
        ),
        CheckOutcome.INSTRUCTIONS_UNKNOWN: Advice(m("Unknown: the system does not report the instruction set.")),
        CheckOutcome.CALIBRATION_FRESH: Advice(m("Fresh, measured at {taken}.")),
        CheckOutcome.CALIBRATION_CHANGED: Advice(
            m("Stale: the machine has changed since {taken}: {changes}."), _CALIBRATE
        ),
        CheckOutcome.CALIBRATION_OLD: Advice(m("Stale: it is {days} days old."), _CALIBRATE),
        CheckOutcome.CALIBRATION_DISTURBED: Advice(
            m("The machine was disturbed while it was calibrated: its ceilings may be too low."),
            m("Run cyclescope calibrate again when it is idle."),
        ),
        CheckOutcome.CALIBRATION_MISSING: Advice(m("There is no calibration of this machine."), _CALIBRATE),
        CheckOutcome.CALIBRATION_BROKEN: Advice(m("The stored calibration cannot be read."), _CALIBRATE),
        CheckOutcome.LEARNING_FRESH: Advice(m("Learned on this machine: predictions use them.")),
        CheckOutcome.LEARNING_STALE: Advice(m("Stale: learned on another machine, version or calibration."), _LEARN),
        CheckOutcome.LEARNING_BROKEN: Advice(m("What was learned cannot be read."), _LEARN),
        CheckOutcome.CLOCK_FINE: Advice(m("Its step is {step}.")),
        CheckOutcome.CLOCK_COARSE: Advice(
            m("Its step is {step}, longer than small operations."), m("Choose a finer clock source (tsc) at boot.")
        ),
        CheckOutcome.NOISE_LOW: Advice(_A_A),
        CheckOutcome.NOISE_HIGH: Advice(
            _A_A, m("Measure longer (such as --budget 2m), or measure when the machine is idle.")
        ),
        CheckOutcome.NOISE_UNKNOWN: Advice(m("Unknown: the trial needs PyTorch.")),
    }
)


def changes(found: Sequence[TraitChange]) -> Text:
    """What changed, one trait after the other."""
    return listed(
        m("{trait}: {before} → {now}", trait=TRAITS[c.trait], before=c.before or fmt.UNKNOWN, now=c.now or fmt.UNKNOWN)
        for c in found
    )
