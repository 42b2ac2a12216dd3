"""The words of the pages of `calibrate`, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclescope.machines.fingerprint import Trait
from cyclescope.report.words.strings import Advice, Strings


@dataclass(frozen=True, slots=True)
class CalibrationText:
    """One language."""

    title: str
    answer: str
    answer_no_product: str
    separator: str
    datasheet_answer: str
    machine: str
    engine: str
    taken: str
    kept_in: str
    not_kept: str
    noise: str
    noise_value: str
    products: str
    memory: str
    overheads: str
    dtype: str
    rows: str
    one_thread: str
    threads: str
    device: str
    low_end: str
    level: str
    holds: str
    no_limit: str
    call: str
    dispatch: str
    module_call: str
    launch: str
    products_note: str
    memory_note: str
    datasheet_note: str
    sources: str
    fresh: str
    changed: Advice
    change: str
    too_old: Advice
    missing: Advice
    broken: Advice
    busy: Advice
    noise_beyond_use: Advice
    quieter: Advice
    traits: Mapping[Trait, str]


EN = CalibrationText(
    title="Ceilings of {machine}",
    answer="Matrix products reach {peaks}; memory gives {bandwidth}; an operation takes {dispatch} at least.",
    answer_no_product="Memory gives {bandwidth}; no matrix product was measured.",
    separator=", ",
    datasheet_answer="Not measured here. Its maker states: {figures}.",
    machine="machine",
    engine="engine",
    taken="taken at",
    kept_in="kept in",
    not_kept="not kept",
    noise="noise floor",
    noise_value="±{value} ({low} to {high}), {n} pairs of A/A",
    products="Matrix products, operands in cache",
    memory="Memory, read or updated in place",
    overheads="What a call takes at least",
    dtype="type",
    rows="rows",
    one_thread="1 thread",
    threads="{count} threads",
    device="device",
    low_end="low end",
    level="level",
    holds="holds",
    no_limit="all",
    call="call",
    dispatch="operation ({name})",
    module_call="module in Python",
    launch="kernel launch",
    products_note="Rows are the smallest dimension of the product: 1 is a decode step. Each figure is the fastest of {n} slices of the best of several shapes; its low end is that of the 95 % interval of the fastest tenth, here for the last column before it.",
    memory_note="The faster of a sum over half of each level and an update of it in place; memory over four times the last level.",
    datasheet_note="Figures of the maker, dense and without a shape: what no real product reaches.",
    sources="Sources",
    fresh="Fresh: nothing that it depends on has changed.",
    changed=Advice(
        "Stale: this machine has changed since ({changes}), so that measured cycles do not take it.",
        "Run cyclescope calibrate again.",
    ),
    change="{trait}: {before} → {now}",
    too_old=Advice("Stale: it is {days} days old.", "Run cyclescope calibrate again."),
    missing=Advice("This machine has not been calibrated.", "Run cyclescope calibrate."),
    broken=Advice("{count} kept files cannot be read. {fact}", "Delete them and run cyclescope calibrate."),
    busy=Advice(
        "Others used {share} of the cores meanwhile, so that ceilings may be too low and the noise too high.",
        "Stop what else is running and calibrate again.",
    ),
    noise_beyond_use=Advice(
        "The same work differed from itself by ±{noise}. That is no noise floor but a disturbance, and no difference is measured against it.",
        "Calibrate again at rest.",
    ),
    quieter=Advice(
        "Not kept: what was taken at {taken} stays, since it saw less noise (±{before}; now ±{now}).",
        "Calibrate again when the machine is quiet, or add --force to replace it.",
    ),
    traits=MappingProxyType(
        {
            Trait.PROCESSOR: "processor",
            Trait.CORES: "usable cores",
            Trait.MEMORY: "memory",
            Trait.INSTRUCTION_SET: "instruction set",
            Trait.VIRTUAL: "virtual",
            Trait.DEVICE: "device",
            Trait.ENGINE: "engine",
            Trait.VERSION: "engine's version",
        }
    ),
)

ZH = CalibrationText(
    title="{machine} 的性能上限",
    answer="矩阵乘法可达 {peaks}；内存带宽 {bandwidth}；一个算子至少需要 {dispatch}。",
    answer_no_product="内存带宽 {bandwidth}；没有测量矩阵乘法。",
    separator="、",
    datasheet_answer="未在本机测量。厂商标称：{figures}。",
    machine="机器",
    engine="引擎",
    taken="测量时间",
    kept_in="保存于",
    not_kept="未保存",
    noise="噪声下限",
    noise_value="±{value}（{low} 至 {high}），A/A 共 {n} 对",
    products="矩阵乘法，操作数在缓存中",
    memory="内存，读取或原地更新",
    overheads="一次调用的最低开销",
    dtype="类型",
    rows="行数",
    one_thread="1 线程",
    threads="{count} 线程",
    device="设备",
    low_end="下端",
    level="层级",
    holds="容量",
    no_limit="全部",
    call="调用",
    dispatch="算子（{name}）",
    module_call="Python 模块",
    launch="内核启动",
    products_note="行数是乘法三个维度中最小的一个：1 即解码的一步。每个数是若干形状中最好者的 {n} 段计时里最快的一段；下端是最快十分之一的 95 % 区间的下端，对应其左侧一列。",
    memory_note="对每一层容量的一半求和或原地更新，取较快者；内存一行用最后一级缓存的四倍。",
    datasheet_note="厂商给出的稠密峰值，与形状无关：实际的乘法达不到。",
    sources="来源",
    fresh="仍然有效：它所依赖的条件没有变化。",
    changed=Advice("已过时：此后本机有变化（{changes}），测量的周期不会采用它。", "请再次运行 cyclescope calibrate。"),
    change="{trait}：{before} → {now}",
    too_old=Advice("已过时：距今 {days} 天。", "请再次运行 cyclescope calibrate。"),
    missing=Advice("本机尚未校准。", "请运行 cyclescope calibrate。"),
    broken=Advice("有 {count} 个保存的文件无法读取。{fact}", "请删除它们并运行 cyclescope calibrate。"),
    busy=Advice("其间其他程序占用了 {share} 的核，上限可能偏低，噪声可能偏高。", "请停止其他程序后再次校准。"),
    noise_beyond_use=Advice(
        "同一工作与自身相差 ±{noise}：这是干扰而不是噪声下限，不会用它来衡量差异。", "请在机器空闲时再次校准。"
    ),
    quieter=Advice(
        "未保存：保留 {taken} 的校准，它的噪声更小（±{before}，这次 ±{now}）。",
        "请在机器空闲时再次校准，或加 --force 替换它。",
    ),
    traits=MappingProxyType(
        {
            Trait.PROCESSOR: "处理器",
            Trait.CORES: "可用核数",
            Trait.MEMORY: "内存",
            Trait.INSTRUCTION_SET: "指令集",
            Trait.VIRTUAL: "虚拟机",
            Trait.DEVICE: "设备",
            Trait.ENGINE: "引擎",
            Trait.VERSION: "引擎版本",
        }
    ),
)


def calibration_text(s: Strings) -> CalibrationText:
    """The words in the language of `s`."""
    return ZH if s.language.startswith("zh") else EN
