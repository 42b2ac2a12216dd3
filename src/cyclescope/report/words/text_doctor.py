"""The words of `cyclescope doctor`, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclescope.calibrating.doctor import Outcome, Topic
from cyclescope.report.words.strings import Advice, Strings


@dataclass(frozen=True, slots=True)
class DoctorText:
    """One language. Braces in `outcomes` are filled in by `report.doctor`; a remedy is empty where nothing is to be done."""

    title: str
    answer_fine: str
    answer_one: str
    answer_warnings: str
    none: str
    topics: Mapping[Topic, str]
    outcomes: Mapping[Outcome, Advice]


EN = DoctorText(
    title="Can this machine be trusted now?",
    answer_fine="Yes: nothing stands in the way of measuring.",
    answer_one="With care: one thing can make measurements worse than they need to be.",
    answer_warnings="With care: {count} things can make measurements worse than they need to be.",
    none="none",
    topics=MappingProxyType(
        {
            Topic.CORES: "cores",
            Topic.QUOTA: "CPU limit",
            Topic.LOAD: "other load",
            Topic.FREQUENCY: "frequency",
            Topic.TURBO: "turbo",
            Topic.MEMORY: "memory",
            Topic.SWAP: "swap",
            Topic.VIRTUAL: "virtual",
            Topic.THREADS: "threads",
            Topic.ENGINES: "engines",
            Topic.EXTRAS: "extras",
            Topic.INSTRUCTIONS: "instructions",
            Topic.CALIBRATION: "calibration",
            Topic.CLOCK: "clock",
            Topic.NOISE: "noise",
        }
    ),
    outcomes=MappingProxyType(
        {
            Outcome.CORES_ALL: Advice("All {online} cores may be used.", ""),
            Outcome.CORES_FEWER: Advice(
                "{usable} of {online} cores may be used.", "Lift the affinity (taskset, numactl, --cpuset-cpus)."
            ),
            Outcome.QUOTA_NONE: Advice("No limit holds this process back.", ""),
            Outcome.QUOTA_LIMITS: Advice("A control group allows {quota} of {usable} cores.", ""),
            Outcome.QUOTA_THROTTLED: Advice(
                "A control group held this process back for {throttled} just now.",
                "Raise the CPU limit of the container, or use fewer --threads.",
            ),
            Outcome.LOAD_QUIET: Advice("Others use {busy} of the cores.", ""),
            Outcome.LOAD_BUSY: Advice("Others use {busy} of the cores.", "Stop them, or measure when they have ended."),
            Outcome.LOAD_UNKNOWN: Advice("The system does not tell what else runs.", ""),
            Outcome.FREQUENCY_STEADY: Advice("The governor is {governors}.", ""),
            Outcome.FREQUENCY_VARIES: Advice(
                "The governor is {governors}: the clock follows the load.",
                "Set it to performance: cpupower frequency-set -g performance",
            ),
            Outcome.FREQUENCY_UNKNOWN: Advice("The system does not tell how the clock frequency is chosen.", ""),
            Outcome.TURBO_ON: Advice("On: the clock is higher while few cores work.", ""),
            Outcome.TURBO_OFF: Advice("Off: the clock stays at its base.", ""),
            Outcome.MEMORY_AMPLE: Advice("{available} of {memory} are free.", ""),
            Outcome.MEMORY_SCARCE: Advice(
                "Only {available} of {memory} are free.", "End what holds it, or take a smaller model."
            ),
            Outcome.MEMORY_UNKNOWN: Advice("The system does not tell how much memory is free.", ""),
            Outcome.SWAP_NONE: Advice("There is no swap.", ""),
            Outcome.SWAP_UNUSED: Advice("{swap}, none of it used.", ""),
            Outcome.SWAP_USED: Advice(
                "{used} of {swap} are used: some memory is on the disk.", "Free memory, then swapoff -a and swapon -a."
            ),
            Outcome.SWAP_UNKNOWN: Advice("The system does not tell whether it swaps.", ""),
            Outcome.VIRTUAL_NO: Advice("Not a virtual machine, as far as the processor tells.", ""),
            Outcome.VIRTUAL_YES: Advice(
                "A virtual machine: its neighbours on the host cannot be seen.",
                "Repeat what matters at another time, or rent the whole host.",
            ),
            Outcome.THREADS_UNSET: Advice("No variable limits the threads; PyTorch takes {cores}.", ""),
            Outcome.THREADS_FIT: Advice("{limits}: as many as usable cores.", ""),
            Outcome.THREADS_MANY: Advice(
                "{limits}, more than the {cores} usable cores: threads wait for each other.", "Unset it, or lower it."
            ),
            Outcome.THREADS_FEW: Advice("{limits}, fewer than the {cores} usable cores.", "Unset it to use all cores."),
            Outcome.THREADS_ODD: Advice("{limits} is no number of threads.", "Unset it."),
            Outcome.ENGINES_THERE: Advice("{engines}", ""),
            Outcome.ENGINES_NONE: Advice("No engine is installed.", "pip install 'cyclescope[torch]'"),
            Outcome.EXTRAS_THERE: Advice("{extras}", ""),
            Outcome.EXTRAS_NONE: Advice("None is installed.", ""),
            Outcome.INSTRUCTIONS_VECTOR: Advice("{features}", ""),
            Outcome.INSTRUCTIONS_SCALAR: Advice(
                "No wide vectors: {features}.", "Expect engines to fall back to slow code, or take another machine."
            ),
            Outcome.INSTRUCTIONS_UNKNOWN: Advice("The system does not tell what the processor knows.", ""),
            Outcome.CALIBRATION_FRESH: Advice("Fresh, taken at {taken}.", ""),
            Outcome.CALIBRATION_CHANGED: Advice(
                "Stale: since {taken} this has changed: {changes}.", "Run cyclescope calibrate."
            ),
            Outcome.CALIBRATION_OLD: Advice("Stale: it is {days} days old.", "Run cyclescope calibrate."),
            Outcome.CALIBRATION_MISSING: Advice("There is none of this machine.", "Run cyclescope calibrate."),
            Outcome.CALIBRATION_BROKEN: Advice("What is kept cannot be read.", "Run cyclescope calibrate."),
            Outcome.CLOCK_FINE: Advice("It takes steps of {step}.", ""),
            Outcome.CLOCK_COARSE: Advice(
                "It takes steps of {step}, longer than small operations.", "Choose a finer clock source (tsc) at boot."
            ),
            Outcome.NOISE_LOW: Advice("The same against the same differs by ±{noise} ({n} pairs).", ""),
            Outcome.NOISE_HIGH: Advice(
                "The same against the same differs by ±{noise} ({n} pairs).",
                "Measure longer (such as --budget 2m), or seek rest.",
            ),
            Outcome.NOISE_UNKNOWN: Advice("Not tried: it needs PyTorch.", ""),
        }
    ),
)

ZH = DoctorText(
    title="现在可以信任本机的测量吗？",
    answer_fine="可以：没有妨碍测量的因素。",
    answer_one="需要留意：有一个因素会使测量变差。",
    answer_warnings="需要留意：有 {count} 个因素会使测量变差。",
    none="无",
    topics=MappingProxyType(
        {
            Topic.CORES: "核",
            Topic.QUOTA: "CPU 限额",
            Topic.LOAD: "其他负载",
            Topic.FREQUENCY: "频率",
            Topic.TURBO: "睿频",
            Topic.MEMORY: "内存",
            Topic.SWAP: "交换区",
            Topic.VIRTUAL: "虚拟化",
            Topic.THREADS: "线程",
            Topic.ENGINES: "引擎",
            Topic.EXTRAS: "附加包",
            Topic.INSTRUCTIONS: "指令集",
            Topic.CALIBRATION: "校准",
            Topic.CLOCK: "时钟",
            Topic.NOISE: "噪声",
        }
    ),
    outcomes=MappingProxyType(
        {
            Outcome.CORES_ALL: Advice("{online} 个核全部可用。", ""),
            Outcome.CORES_FEWER: Advice(
                "{online} 个核中可用 {usable} 个。", "请解除亲和性限制（taskset、numactl、--cpuset-cpus）。"
            ),
            Outcome.QUOTA_NONE: Advice("没有限额约束本进程。", ""),
            Outcome.QUOTA_LIMITS: Advice("控制组允许使用 {quota} 个核（共 {usable} 个）。", ""),
            Outcome.QUOTA_THROTTLED: Advice(
                "刚才控制组使本进程停顿了 {throttled}。", "请提高容器的 CPU 限额，或减少 --threads。"
            ),
            Outcome.LOAD_QUIET: Advice("其他程序占用 {busy} 的核。", ""),
            Outcome.LOAD_BUSY: Advice("其他程序占用 {busy} 的核。", "请停止它们，或等它们结束后再测量。"),
            Outcome.LOAD_UNKNOWN: Advice("系统未提供其他负载的信息。", ""),
            Outcome.FREQUENCY_STEADY: Advice("调速器为 {governors}。", ""),
            Outcome.FREQUENCY_VARIES: Advice(
                "调速器为 {governors}：频率随负载变化。",
                "请设为 performance：cpupower frequency-set -g performance",
            ),
            Outcome.FREQUENCY_UNKNOWN: Advice("系统未提供频率如何选择的信息。", ""),
            Outcome.TURBO_ON: Advice("已开启：少数核工作时频率更高。", ""),
            Outcome.TURBO_OFF: Advice("已关闭：频率保持在基准。", ""),
            Outcome.MEMORY_AMPLE: Advice("{memory} 中有 {available} 空闲。", ""),
            Outcome.MEMORY_SCARCE: Advice(
                "{memory} 中仅 {available} 空闲。", "请结束占用内存的程序，或选用更小的模型。"
            ),
            Outcome.MEMORY_UNKNOWN: Advice("系统未提供空闲内存的信息。", ""),
            Outcome.SWAP_NONE: Advice("没有交换区。", ""),
            Outcome.SWAP_UNUSED: Advice("{swap}，均未使用。", ""),
            Outcome.SWAP_USED: Advice(
                "{swap} 中已用 {used}：部分内存在磁盘上。", "请释放内存，然后执行 swapoff -a 与 swapon -a。"
            ),
            Outcome.SWAP_UNKNOWN: Advice("系统未提供交换区的信息。", ""),
            Outcome.VIRTUAL_NO: Advice("从处理器看，不是虚拟机。", ""),
            Outcome.VIRTUAL_YES: Advice(
                "虚拟机：看不到同一主机上的其他虚拟机。", "重要的测量请换时间重复，或租用整台主机。"
            ),
            Outcome.THREADS_UNSET: Advice("没有变量限制线程数；PyTorch 取 {cores}。", ""),
            Outcome.THREADS_FIT: Advice("{limits}：与可用核数相同。", ""),
            Outcome.THREADS_MANY: Advice("{limits}，多于 {cores} 个可用核：线程会互相等待。", "请取消该变量或调低它。"),
            Outcome.THREADS_FEW: Advice("{limits}，少于 {cores} 个可用核。", "请取消该变量以使用全部核。"),
            Outcome.THREADS_ODD: Advice("{limits} 不是线程数。", "请取消该变量。"),
            Outcome.ENGINES_THERE: Advice("{engines}", ""),
            Outcome.ENGINES_NONE: Advice("没有安装引擎。", "pip install 'cyclescope[torch]'"),
            Outcome.EXTRAS_THERE: Advice("{extras}", ""),
            Outcome.EXTRAS_NONE: Advice("均未安装。", ""),
            Outcome.INSTRUCTIONS_VECTOR: Advice("{features}", ""),
            Outcome.INSTRUCTIONS_SCALAR: Advice(
                "没有宽向量指令：{features}。", "引擎会退回到较慢的代码；或换一台机器。"
            ),
            Outcome.INSTRUCTIONS_UNKNOWN: Advice("系统未提供处理器指令集的信息。", ""),
            Outcome.CALIBRATION_FRESH: Advice("有效，测于 {taken}。", ""),
            Outcome.CALIBRATION_CHANGED: Advice(
                "已过时：自 {taken} 以来有变化：{changes}。", "请运行 cyclescope calibrate。"
            ),
            Outcome.CALIBRATION_OLD: Advice("已过时：距今 {days} 天。", "请运行 cyclescope calibrate。"),
            Outcome.CALIBRATION_MISSING: Advice("没有本机的校准。", "请运行 cyclescope calibrate。"),
            Outcome.CALIBRATION_BROKEN: Advice("保存的校准无法读取。", "请运行 cyclescope calibrate。"),
            Outcome.CLOCK_FINE: Advice("步长 {step}。", ""),
            Outcome.CLOCK_COARSE: Advice("步长 {step}，长于小算子。", "请在启动时选用更精细的时钟源（tsc）。"),
            Outcome.NOISE_LOW: Advice("相同与相同之间相差 ±{noise}（{n} 对）。", ""),
            Outcome.NOISE_HIGH: Advice(
                "相同与相同之间相差 ±{noise}（{n} 对）。", "测量时请给更长时间（例如 --budget 2m），或等机器空闲。"
            ),
            Outcome.NOISE_UNKNOWN: Advice("未尝试：需要 PyTorch。", ""),
        }
    ),
)


def doctor_text(s: Strings) -> DoctorText:
    """The words in the language of `s`."""
    return ZH if s.language.startswith("zh") else EN
