"""What `--set` and `--sweep` take, and what they refuse with a way out."""

from __future__ import annotations

import pytest

from cyclescope.core.errors import UsageError
from cyclescope.predicting.settings import MOST_POINTS, Setting, grid, parse_setting, parse_sweep


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
    many = parse_sweep("cache=" + ",".join(map(str, range(1, MOST_POINTS // 2 + 2))))
    for sweeps in ([one, one], [one, other, many], [one, many]):
        with pytest.raises(UsageError):
            grid(sweeps)
