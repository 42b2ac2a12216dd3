"""`doctor`: each trouble planted alone is found alone, and a machine at rest is fine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from paper_doctor import FINE, REST, TROUBLE, state

from cyclescope.machines.doctor import WARNINGS, Calibrated, CheckOutcome, Learning, MachineFacts, Topic, examine
from cyclescope.machines.state import read_state
from cyclescope.report.documents.doctor import doctor_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.terminal import to_text
from cyclescope.report.naming.machine import FINDINGS, TOPICS
from cyclescope.report.pages.doctor import doctor_page


def outcomes(facts: MachineFacts) -> dict[Topic, CheckOutcome]:
    return {check.topic: check.outcome for check in examine(facts).checks}


def test_a_machine_at_rest_is_fine() -> None:
    assert examine(REST).warnings == 0


@pytest.mark.parametrize(("outcome", "facts"), TROUBLE.items())
def test_one_trouble_is_found_and_nothing_else(outcome: CheckOutcome, facts: MachineFacts) -> None:
    examination = examine(facts)
    assert [check.outcome for check in examination.checks if not check.fine] == [outcome]


@pytest.mark.parametrize(("outcome", "facts"), FINE.items())
def test_what_is_no_trouble_is_told_as_fine(outcome: CheckOutcome, facts: MachineFacts) -> None:
    assert outcome in outcomes(facts).values()
    assert examine(facts).warnings == 0


def test_every_outcome_is_planted_here() -> None:
    assert set(TROUBLE) == WARNINGS
    assert set(TROUBLE) | set(FINE) == set(CheckOutcome)


@pytest.mark.parametrize(
    ("value", "outcome"),
    [("8,4", CheckOutcome.THREADS_FIT), (" 8 ", CheckOutcome.THREADS_FIT), ("0", CheckOutcome.THREADS_ODD)],
)
def test_a_list_of_threads_counts_with_its_first(value: str, outcome: CheckOutcome) -> None:
    assert outcomes(state(thread_limits=(("OMP_NUM_THREADS", value),)))[Topic.THREADS] is outcome


def test_every_outcome_and_topic_has_its_words() -> None:
    assert set(FINDINGS) == set(CheckOutcome)
    assert set(TOPICS) == set(Topic)
    for outcome, advice in FINDINGS.items():
        assert str(advice.text)
        assert bool(str(advice.remedy)) is (outcome in WARNINGS), outcome


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("outcome", "facts"), [*TROUBLE.items(), *FINE.items()])
def test_no_number_is_cut_and_no_brace_is_left(outcome: CheckOutcome, facts: MachineFacts, language: str) -> None:
    text = to_text(doctor_page(examine(facts)), 80, language=language)
    assert "{" not in text
    assert "…" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_answer_counts_what_is_wrong() -> None:
    two = replace(TROUBLE[CheckOutcome.LOAD_BUSY], noise=None, calibrated=Calibrated())
    assert "no check found a problem" in to_text(doctor_page(examine(REST)))
    assert "1 condition makes" in to_text(doctor_page(examine(TROUBLE[CheckOutcome.LOAD_BUSY])))
    assert "2 conditions make" in to_text(doctor_page(examine(two)))
    assert "30.0 %" in to_text(doctor_page(examine(two)))


def test_the_document_has_every_check_and_is_strict_json() -> None:
    facts = TROUBLE[CheckOutcome.CALIBRATION_CHANGED]
    facts = replace(facts, calibrated=replace(facts.calibrated, learned=Learning.FRESH))
    document = json.loads(dump(doctor_document(examine(facts))), parse_constant=lambda name: pytest.fail(name))
    assert document["schema"] == "cyclescope/doctor/2"
    assert [warning["code"] for warning in document["warnings"]] == ["calibration-changed"]
    assert {check["topic"] for check in document["checks"]} == set(Topic)
    (wrong,) = [check for check in document["checks"] if not check["fine"]]
    assert wrong["outcome"] == "calibration-changed"
    assert "usable cores: 8 → 4" in wrong["text"]
    assert document["facts"]["state"]["usable_cores"] == 8


def test_names_from_the_system_cannot_colour_the_screen() -> None:
    facts = state(governors=("\x1b[31mevil\x1b[0m",), engines=(("torch", "[red]1[/red]"),))
    text = to_text(doctor_page(examine(facts)), 200)
    assert "\x1b" not in text
    assert "[red]1[/red]" in text


def machine_files(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_state_is_read_from_where_linux_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    for name in ("MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    root = machine_files(
        tmp_path,
        {
            "sys/fs/cgroup/cpu.max": "150000 100000\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
            "sys/devices/system/cpu/intel_pstate/no_turbo": "0\n",
            "proc/meminfo": "SwapTotal: 2000 kB\nSwapFree: 500 kB\n",
            "proc/cpuinfo": "processor : 0\nflags : fpu amx_tile avx2 unheard_of\n",
        },
    )
    found = read_state(root)
    assert found.quota_cores == 1.5
    assert found.governors == ("performance", "powersave")
    assert found.turbo is True
    assert (found.swap_bytes, found.swap_used_bytes) == (2_048_000, 1_536_000)
    assert found.thread_limits == (("OMP_NUM_THREADS", "3"),)
    assert found.features == ("amx_tile", "avx2")


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"sys/fs/cgroup/cpu.max": "max 100000"}, None),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 2.0),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_limits_of_both_kinds_of_control_groups_are_read(tmp_path: Path, files: dict[str, str], quota: object) -> None:
    assert read_state(machine_files(tmp_path, files)).quota_cores == quota


def test_a_system_that_tells_nothing_is_no_failure(tmp_path: Path) -> None:
    found = read_state(tmp_path)
    assert (found.governors, found.turbo, found.swap_bytes, found.features) == ((), None, None, ())
