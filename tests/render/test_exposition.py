"""What Prometheus reads: the golden file, its lint, its parser, and names of every kind."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bioagents_exporter.catalogue import METRICS
from bioagents_exporter.derive import Family, Key, Number, jobs, queue_workers, queues, workers
from bioagents_exporter.render import Renderer
from support.programs import require
from support.snapshots import GOLDEN, golden_text, reference_families

NAMES = (
    st.text()
    | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Ll"]))
    | st.sampled_from(["\\", '"', "\n"])
)
NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**70), 2**70)


def rendered(*families: Family, fleet_name: str = "dramatiq", prefix: str = "bioagents_") -> str:
    """The exposition of a new renderer."""
    return Renderer(prefix=prefix, fleet=fleet_name).render(families).decode()


def samples(text: str) -> list[Sample]:
    """What prometheus-client reads from it."""
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def slots(names: Sequence[str], values: Sequence[Number] | None = None) -> Family:
    """One gauge by queue."""
    return Family(queue_workers.SLOTS, [(name,) for name in names], values or [1] * len(names))


def histogram(name: str, counts: Sequence[int], total: float) -> Family:
    """One histogram with one key."""
    return Family(jobs.WAIT, [(name, "a")], [*counts, total, counts[-1]])


def test_golden_file() -> None:
    """Written by ``PYTHONPATH=tests python -m support.snapshots``, never by a test."""
    assert golden_text().decode() == GOLDEN.read_text()


def test_promtool_finds_no_fault() -> None:
    """Format, names, units and help, also of the exporter's process."""
    text = Renderer(prefix="bioagents_", fleet="f").render(reference_families())
    lint = subprocess.run(
        [require("promtool"), "check", "metrics"], input=text, capture_output=True, check=False, timeout=30
    )
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, b"", b"")


def test_every_metric_has_help_and_type_once() -> None:
    """And all of its lines are together."""
    families = list(text_string_to_metric_families(GOLDEN.read_text()))
    assert len({family.name for family in families}) == len(families)
    assert all(family.documentation and family.type != "unknown" for family in families)
    own = [metric for metric in METRICS if metric.prefixed and metric.name != "exporter_build_info"]
    assert len(families) == len(own)


def test_every_series_carries_the_fleet() -> None:
    """First, so that two fleets under one Prometheus never merge."""
    assert {sample.labels["fleet"] for sample in samples(GOLDEN.read_text())} == {"reference"}


def test_one_prefix_everywhere() -> None:
    """But for the names that all client libraries share."""
    text = Renderer(prefix="x_", fleet="f").render(reference_families()).decode()
    names = {sample.name for sample in samples(text)}
    assert all(name.startswith(("x_", "process_", "python_info")) for name in names)


def test_a_prefix_may_be_empty() -> None:
    """It is a setting."""
    for prefix in ("", "my_"):
        line = f'\n{prefix}queue_slots{{fleet="dramatiq",queue="q"}} 1\n'
        assert line in rendered(slots(["q"]), prefix=prefix)


@given(st.lists(NAMES, unique=True, min_size=1), NAMES)
def test_names_of_every_kind(names: list[str], fleet_name: str) -> None:
    """Valid UTF-8, no series twice, and what is UTF-8 reads back as it was."""
    read = samples(rendered(slots(names), fleet_name=fleet_name))
    shown = [sample.labels.get("queue", "") for sample in read]
    assert len(set(shown)) == len(shown)
    assert {name for name in names if is_utf8(name)} <= set(shown)
    assert len(shown) <= len(names)


def is_utf8(name: str) -> bool:
    """Whether it can be shown as it is."""
    return name == name.encode("utf-8", "replace").decode()


def test_names_that_look_alike_are_one_series_with_its_own_number() -> None:
    r"""Bytes that are no UTF-8 are shown as ``\\udcXX``; should a name read so too, the first is shown."""
    family = slots(["a", "\udc80", "\\udc80", "b"], [1, 2, 3, 4])
    renderer = Renderer(prefix="", fleet="f")
    for _ in range(2):
        read = samples(renderer.render([family]).decode())
        assert [(s.labels["queue"], s.value) for s in read] == [("a", 1), ("\\udc80", 2), ("b", 4)]
    twice = Family(jobs.WAIT, [("\udc80", "a"), ("\\udc80", "a")], [*range(24), *range(24, 48)])
    assert len(samples(rendered(twice))) == 24


@given(st.lists(NUMBERS, min_size=1))
def test_numbers_read_back_as_they_were(values: list[Number]) -> None:
    """Exactly; integers without a point."""
    text = rendered(slots([str(i) for i in range(len(values))], values))
    assert [sample.value for sample in samples(text)] == values
    assert ".0\n" not in text


def test_a_number_as_text() -> None:
    """Also next to one that is not an integer."""
    texts: dict[Number, str] = {
        math.inf: "+Inf", -math.inf: "-Inf", math.nan: "NaN", 3.0: "3", 0.1: "0.1", 1e21: "1e+21",
        1e-7: "1e-07", 2**53 + 1: "9007199254740993", 1_764_000_000.123456: "1764000000.123456",
    }  # fmt: skip
    for values in (list(texts), [3, 0.5]):
        lines = rendered(slots([str(i) for i in range(len(values))], values)).splitlines()[2:]
        assert [line.rpartition(" ")[2] for line in lines] == [
            texts.get(value, repr(value)) for value in values
        ]


def test_a_histogram_is_complete() -> None:
    """Its bounds are written as floats, as Prometheus 3 stores them; +Inf is the count."""
    read = samples(rendered(histogram("q", range(22), 7.25)))
    bounds = [sample.labels["le"] for sample in read if sample.name.endswith("_bucket")]
    assert bounds[:3] == ["0.005", "0.01", "0.025"]
    assert bounds[-3:] == ["14400.0", "28800.0", "+Inf"]
    assert [(sample.name[-4:], sample.value) for sample in read[-2:]] == [("_sum", 7.25), ("ount", 21)]


def test_a_metric_without_series_is_left_out() -> None:
    """Neither HELP nor TYPE: nothing was read."""
    assert rendered(slots([])) == ""
    assert rendered(slots([]), slots(["q"])).count("# TYPE") == 1


KEYS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)


@given(st.lists(st.tuples(KEYS, KEYS, st.integers(0, 3)), max_size=8))
def test_what_is_kept_between_scrapes_changes_nothing(
    scrapes: list[tuple[list[str], list[str], int]],
) -> None:
    """Series come and go, numbers change or stay: the text is that of a new renderer."""
    renderer = Renderer(prefix="bioagents_", fleet="dramatiq")
    for names, others, n in scrapes:
        keys: list[Key] = [(name,) for name in names]
        families = [
            Family(workers.SLOTS, keys, [n] * len(keys)),
            Family(workers.CPU, keys, [n / 2 + i for i in range(len(keys))]),
            Family(queues.OLDEST_AGE, [(name,) for name in others], [n] * len(others)),
            histogram("q", [n] * 22, n / 4),
        ]
        assert renderer.render(families).decode() == rendered(*families)


def test_only_the_last_scrape_is_remembered() -> None:
    """A fleet with thousands of short-lived workers must not fill the memory."""
    renderer = Renderer(prefix="", fleet="f")
    for n in range(3):
        renderer.render([slots([f"q{n}"])])
    (block,) = renderer._blocks.values()
    assert block.series.keys == [("q2",)]
    renderer.render([])
    assert renderer._blocks == {}
