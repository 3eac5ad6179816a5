"""script/bench runs through: each of its rows, at every size of home."""

import asyncio

import pytest

from tests import bench


@pytest.mark.parametrize(("name", "rows"), [("turn", 7), ("template", 9), ("load", 6)])
def test_a_benchmark_prints_all_its_rows(
    name: str, rows: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "TURNS", 1)
    asyncio.run(bench.BENCHMARKS[name]())
    assert capsys.readouterr().out.count(" ms ") == rows


def test_every_benchmark_is_tried() -> None:
    assert set(bench.BENCHMARKS) == {"turn", "template", "load"}
