"""What `--set` and `--sweep` take, and what they refuse with a way out."""

from __future__ import annotations

import pytest

from cyclescope.core.errors import UsageError
from cyclescope.core.machine import Machine
from cyclescope.predicting.settings import (
    MOST_POINTS,
    Setting,
    grid,
    parse_setting,
    parse_sweep,
    require_no_threads,
)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("bandwidth=2x", Setting("bandwidth", 2.0)),
        ("Bandwidth = 0.5×", Setting("bandwidth", 0.5)),
        ("compute=x1.5", Setting("flops", 1.5)),
        ("overhead=0x", Setting("overhead", 0.0)),
        ("threads=8", Setting("threads", 8)),
        ("cache-length=100", Setting("cache", 100)),
        ("dtype=bf16", Setting("dtype", "bfloat16")),
        ("dtype=int8", Setting("weights", "int8")),
        ("attention=eager", Setting("attention", "eager")),
    ],
)
def test_a_setting_is_read_as_people_write_it(text: str, setting: Setting) -> None:
    assert parse_setting(text) == setting


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("bandwith=2x", "Did you mean bandwidth?"),
        ("frobnicate=2", "Known are bandwidth"),
        ("bandwidth", "Write for example --set bandwidth=2x."),
        ("bandwidth=", "Write for example --set bandwidth=2x."),
        ("bandwidth=900e9", "in a file with --machine"),
        ("bandwidth=0x", "in a file with --machine"),
        ("bandwidth=-2x", "in a file with --machine"),
        ("bandwidth=1.2.3x", "in a file with --machine"),
        ("bandwidth=9999999x", "in a file with --machine"),
        ("threads=2x", "Write for example --set threads=8."),
        ("threads=0", "Write for example --set threads=8."),
        ("threads=٣", "Write for example --set threads=8."),
        ("dtype=bfloat61", "Did you mean bfloat16?"),
        ("dtype=2x", "Known dtypes"),
    ],
)
def test_what_is_no_setting_is_refused_with_a_way_out(text: str, way_out: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_setting(text)
    assert way_out in str(caught.value.way_out)


def test_a_grid_has_the_last_sweep_fastest() -> None:
    points = grid([parse_sweep("batch=1,2"), parse_sweep("tokens=8,16,16")])
    assert [tuple(change.value for change in point) for point in points] == [(1, 8), (1, 16), (2, 8), (2, 16)]


@pytest.mark.parametrize("text", ["batch=1", "batch=1,1", "batch=1,,2", "batch", "batch=1,x"])
def test_a_sweep_of_less_than_two_values_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_sweep(text)


def test_the_same_name_three_names_and_too_many_points_are_refused() -> None:
    one, other = parse_sweep("batch=1,2"), parse_sweep("tokens=1,2")
    many = parse_sweep(f"cache=1..{MOST_POINTS // 2 + 1}")
    for sweeps in ([one, one], [one, other, many], [one, many]):
        with pytest.raises(UsageError):
            grid(sweeps)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("batch=1..5", [1, 2, 3, 4, 5]),
        ("tokens=128..512:128", [128, 256, 384, 512]),
        ("tokens=128..500:128", [128, 256, 384]),
        ("cache=1024..9000*2", [1024, 2048, 4096, 8192]),
        ("cache = 1 .. 100 × 10, 7", [1, 10, 100, 7]),
        ("threads=1,2..4,4", [1, 2, 3, 4]),
    ],
)
def test_a_range_is_all_of_its_values(text: str, values: list[int]) -> None:
    assert [setting.value for setting in parse_sweep(text)] == values


@pytest.mark.parametrize(
    ("text", "fact", "help_"),
    [
        ("batch=0", "must be a whole number from 1 up (got 0)", "--sweep batch=1,2,4,8"),
        ("batch=1,0,2", "must be a whole number from 1 up (got 0)", "--sweep batch=1,2,4,8"),
        ("batch=4", "must have two values or more", "--sweep batch=1,2,4,8"),
        ("bandwidth=2x", "must have two values or more", "--sweep bandwidth=1x,2x,4x"),
        ("dtype=float32", "must have two values or more", "--sweep dtype=float32,bfloat16"),
        ("batch=1,,2", "a value on both sides of each comma", "--sweep batch=1,2,4,8"),
        ("batch=1..", "a first and a last whole number", "FIRST..LAST"),
        ("batch=..8", "a first and a last whole number", "FIRST..LAST"),
        ("batch=1..64:0", "ranges that rise", "The step must be 1 or more."),
        ("batch=1..64*1", "ranges that rise", "The factor must be 2 or more."),
        ("batch=0..64", "ranges from 1 up", "FIRST..LAST"),
        ("batch=1..1000000000", "ranges up to 100", "FIRST..LAST"),
        ("foo=1,2", "knows no foo", "Known are bandwidth"),
        ("bach=1,2", "knows no bach", "Did you mean batch? Known are bandwidth"),
    ],
)
def test_a_bad_sweep_is_told_what_is_wrong_with_it(text: str, fact: str, help_: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sweep(text)
    error = caught.value
    assert fact in str(error.fact)
    assert help_ in f"{error.cause} {error.way_out}"
    assert "flops?" not in str(error.way_out)


def test_threads_mean_nothing_on_a_device() -> None:
    machine = Machine("a GPU", 0, 0, "", "")
    require_no_threads(["batch", "tokens"], "--sweep", machine)
    with pytest.raises(UsageError, match=r"--sweep threads needs a processor \(got a GPU\)"):
        require_no_threads(["batch", "threads"], "--sweep", machine)


@pytest.mark.parametrize("text", ["batch=8..1", "batch=1..8*1", "batch=1..8:0", "batch=0..8*2", "batch=1..1000000000"])
def test_a_range_that_does_not_rise_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_sweep(text)


def test_a_range_of_too_many_values_is_refused_before_it_is_made() -> None:
    with pytest.raises(UsageError, match="at most 20"):
        parse_sweep("batch=1..99999999")
