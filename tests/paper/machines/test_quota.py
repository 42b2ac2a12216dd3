"""The processor time that control groups allow, on machines that are made of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cyclescope.core.machine import Machine
from cyclescope.machines.fingerprint import Trait, changes, fingerprint
from cyclescope.machines.host import usable_cores
from cyclescope.machines.quota import Quota, read_quota

V2_MOUNT = "31 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNT = "32 31 0:29 {top} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
OTHER_MOUNTS = (
    "30 31 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n24 1 8:1 / / rw - ext4 /dev/root rw\nodd line\n"
)


def machine_of(root: Path, **files: str) -> Path:
    """The root of a machine with `files`, whose names have `:` for `/`."""
    for name, text in files.items():
        path = root / name.replace(":", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def of_v2(root: Path, own: str, **files: str) -> Path:
    return machine_of(
        root,
        **{"proc:self:cgroup": f"0::{own}\n", "proc:self:mountinfo": OTHER_MOUNTS + V2_MOUNT},
        **{f"sys:fs:cgroup:{name}": text for name, text in files.items()},
    )


def of_v1(root: Path, own: str, top: str = "/", **files: str) -> Path:
    return machine_of(
        root,
        **{
            "proc:self:cgroup": f"9:memory:/elsewhere\n4:cpu,cpuacct:{own}\n0::/\n",
            "proc:self:mountinfo": OTHER_MOUNTS + V1_MOUNT.format(top=top),
        },
        **{f"sys:fs:cgroup:cpu,cpuacct:{name}": text for name, text in files.items()},
    )


def test_v2_the_group_of_the_process_counts_and_not_the_root(tmp_path: Path) -> None:
    root = of_v2(
        tmp_path,
        "/a/b",
        **{"cpu.stat": "throttled_usec 0", "a:b:cpu.max": "50000 100000\n", "a:b:cpu.stat": "throttled_usec 7\n"},
    )
    assert read_quota(root) == Quota(0.5, 7_000)


def test_v2_the_tightest_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    files = {"a:cpu.max": "150000 100000", "a:b:cpu.max": "max 100000", "a:b:c:cpu.max": "400000 100000"}
    assert read_quota(of_v2(tmp_path, "/a/b/c", **files)).cores == 1.5


def test_v1_the_group_of_the_process_counts_and_its_throttled_time_is_in_nanoseconds(tmp_path: Path) -> None:
    files = {
        "cpu.cfs_quota_us": "-1",
        "cpu.cfs_period_us": "100000",
        "half:cpu.cfs_quota_us": "50000\n",
        "half:cpu.cfs_period_us": "100000\n",
        "half:cpu.stat": "nr_periods 9\nnr_throttled 4\nthrottled_time 123456789\n",
    }
    assert read_quota(of_v1(tmp_path, "/half", **files)) == Quota(0.5, 123_456_789)


def test_v1_in_a_container_the_name_is_the_hosts_and_the_group_is_what_is_mounted(tmp_path: Path) -> None:
    """Without a namespace of groups, /proc/self/cgroup has the path on the host, which is what stands at the mount."""
    files = {"cpu.cfs_quota_us": "250000", "cpu.cfs_period_us": "100000"}
    assert read_quota(of_v1(tmp_path, "/docker/abc", "/docker/abc", **files)).cores == 2.5


@pytest.mark.parametrize("own", ["/gone", "/../../etc", "/"])
def test_a_group_that_cannot_be_seen_leaves_what_stands_above_it(tmp_path: Path, own: str) -> None:
    assert read_quota(of_v2(tmp_path, own, **{"cpu.max": "300000 100000"})).cores == 3


def test_a_process_in_both_versions_has_the_tighter_of_both(tmp_path: Path) -> None:
    of_v1(tmp_path, "/a", **{"a:cpu.cfs_quota_us": "200000", "a:cpu.cfs_period_us": "100000"})
    mounts = (tmp_path / "proc/self/mountinfo").read_text()
    (tmp_path / "proc/self/mountinfo").write_text(mounts + V2_MOUNT.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"))
    machine_of(tmp_path, **{"sys:fs:cgroup:unified:cpu.max": "120000 100000"})
    assert read_quota(tmp_path).cores == 1.2


def test_a_place_with_a_space_is_found(tmp_path: Path) -> None:
    machine_of(
        tmp_path,
        **{
            "proc:self:cgroup": "0::/\n",
            "proc:self:mountinfo": "31 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n",
            "my groups:cpu.max": "70000 100000",
        },
    )
    assert read_quota(tmp_path).cores == 0.7


@pytest.mark.parametrize("text", ["max 100000", "", "100000", "100000 0", "abc def", "-1 100000"])
def test_what_is_no_limit_is_none(tmp_path: Path, text: str) -> None:
    assert read_quota(of_v2(tmp_path, "/", **{"cpu.max": text})) == Quota(None, None)


def test_a_machine_without_control_groups_has_no_limit(tmp_path: Path) -> None:
    assert read_quota(tmp_path) == Quota(None, None)


@pytest.mark.parametrize(("cores", "usable"), [(0.5, 1), (1.0, 1), (1.9, 1), (0.01, 1)])
def test_no_more_threads_are_advised_than_the_limit_can_run(cores: float, usable: int) -> None:
    assert usable_cores(Quota(cores, None)) == usable


def test_without_a_limit_every_core_of_the_affinity_is_usable() -> None:
    assert usable_cores(Quota(None, None)) == usable_cores(Quota(1e6, None)) >= 1


def test_ceilings_of_another_limit_are_those_of_another_machine() -> None:
    def printed(quota: float | None) -> str:
        machine = Machine("P", 1, 10**9, "Linux", "3.11", quota_cores=quota)
        return fingerprint(machine, "torch")

    assert "quota" not in printed(None)
    assert [change.trait for change in changes(printed(0.5), printed(1.0))] == [Trait.QUOTA]
    assert [change.before for change in changes(printed(None), printed(1.5))] == [""]
