"""The words about a device's line of time, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cyclescope.explaining.device import Pace
from cyclescope.report.words.strings import Strings


@dataclass(frozen=True, slots=True)
class DeviceText:
    """One language. `pace` says who decides how long the cycle takes; `unclear` and `waits` are said where there is some."""

    title: str
    answer: str
    pace: Mapping[Pace, str]
    unclear: str
    launches: str
    waits: str
    no_waits: str
    operation: str
    separator: str
    account: str
    few_held: str
    part: str
    place: str
    busy: str
    unclear_column: str
    idle: str
    queue: str
    tail: str


EN = DeviceText(
    title="What the device does",
    answer="A cycle takes {wall}. {pace}",
    pace=MappingProxyType(
        {
            Pace.HOST: "The host decides: of {span} the device works {busy} ({busy_share}) and waits {idle} ({idle_share}) for the host to launch.",
            Pace.DEVICE: "The device decides: of {span} it works {busy} ({busy_share}) and waits {idle} ({idle_share}) for the host to launch.",
            Pace.UNCLEAR: "Who decides is not certain: of {span} the device works {busy} ({busy_share}) for certain and waits {idle} ({idle_share}) for the host to launch.",
        }
    ),
    unclear="{unclear} ({share}) lies in operations that the host was never ahead of: there, work and waiting cannot be told apart.",
    launches="Of {working} operations that the device works for, {starved} reach it when it has nothing left to do. On average the host is {ahead} ahead of them.",
    waits="Operations in which the host waits for the device: {count} ({names}), {time} in all. At the end of the cycle it waits {end}.",
    no_waits="In no operation does the host wait for the device. At the end of the cycle it waits {end}.",
    operation="{name} × {count}",
    separator=", ",
    account="Work and waiting add up to {span}, which is {ratio} of the wall time that nobody looked into. Marks made these runs {marks} longer, which was taken off.",
    few_held="The host was not let run ahead of the device in any run, so short kernels cannot be told from their launches.",
    part="part",
    place="place",
    busy="works",
    unclear_column="unclear",
    idle="waits",
    queue="host ahead",
    tail="after the last operation",
)
ZH = DeviceText(
    title="设备在做什么",
    answer="一个周期耗时 {wall}。{pace}",
    pace=MappingProxyType(
        {
            Pace.HOST: "由主机决定快慢：在 {span} 中，设备工作 {busy}（{busy_share}），等待主机启动算子 {idle}（{idle_share}）。",
            Pace.DEVICE: "由设备决定快慢：在 {span} 中，设备工作 {busy}（{busy_share}），等待主机启动算子 {idle}（{idle_share}）。",
            Pace.UNCLEAR: "由谁决定快慢尚不确定：在 {span} 中，设备确定在工作的有 {busy}（{busy_share}），等待主机启动算子 {idle}（{idle_share}）。",
        }
    ),
    unclear="有 {unclear}（{share}）属于主机从未领先的算子：其中的工作与等待无法区分。",
    launches="设备为 {working} 个算子工作，其中 {starved} 个到达时设备已无事可做。主机平均领先 {ahead}。",
    waits="主机在其中等待设备的算子：{count} 个（{names}），共 {time}。周期结束时主机等待 {end}。",
    no_waits="没有算子使主机等待设备。周期结束时主机等待 {end}。",
    operation="{name} × {count}",
    separator="，",
    account="工作与等待合计 {span}，是未插桩总时间的 {ratio}。标记使这些运行多用了 {marks}，已经扣除。",
    few_held="没有一次运行让主机领先于设备，因此短的内核无法与其启动区分。",
    part="部分",
    place="位置",
    busy="工作",
    unclear_column="不明",
    idle="等待",
    queue="主机领先",
    tail="最后一个算子之后",
)


def device_text(s: Strings) -> DeviceText:
    """The words in the language of `s`."""
    return ZH if s.language == "zh" else EN
