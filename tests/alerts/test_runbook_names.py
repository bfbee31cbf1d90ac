"""What the runbooks name exists: metrics, recorded series, labels, causes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from bioagents_exporter.catalogue import METRICS
from bioagents_exporter.derive.source_states import CAUSES
from support.rule_files import names, published, recorded
from support.runbooks import PAGES, blocks, prose

#: A metric, or several of them as a pattern of grep and awk: ``bioagents_queue_(slots|workers)``.
PATTERN = re.compile(r"\bbioagents_[a-z0-9_]*(?:\([^()]*\)[a-z0-9_]*)*")
RECORDED = re.compile(r"\b[a-z]+:bioagents_\w+(?::\w+)?")
#: A word with an underscore in the middle, as code in prose; a selector or a value may follow it.
WORD = re.compile(r"`([a-z]+(?:_[a-z]+)+)[^`\w]*[^`]*`")
FULL = {metric.full_name("bioagents_") for metric in METRICS} | published().keys()
#: Names without ``bioagents_``, and without the first word after it too: ``desired_workers``.
SHORT = {name.partition("_")[2] for name in FULL} | {name.split("_", 2)[-1] for name in FULL}
#: Words of other programs that look the same.
OTHERS = {
    # Dramatiq's options and variables, and arguments of its broker and actors
    "dead_message_ttl", "dramatiq_delay_queue_prefetch", "heartbeat_timeout", "maintenance_chance", "max_age",
    "max_retries", "min_backoff", "queue_name", "result_ttl", "time_limit",
    # what Redis says of itself
    "aof_delayed_fsync", "connected_slaves", "evicted_keys", "latest_fork_usec", "master_host",
    "master_link_status", "run_id",
    # an event in the exporter's log; a setting of its web configuration
    "source_failed", "basic_auth_users",
    # settings of Prometheus
    "convert_classic_histograms_to_nhcb", "external_labels", "honor_labels", "metric_relabel_configs",
    "relabel_configs",
}  # fmt: skip


def _alternatives(pattern: str) -> Iterator[str]:
    """What a pattern of grep and awk may begin with."""
    parts = [part.split("|") for part in re.split(r"[()]", pattern)]
    for chosen in product(*parts):
        yield re.match(r"[a-z0-9_]*", "".join(chosen))[0]  # type: ignore[index]


def test_every_metric_in_a_command_exists() -> None:
    """Commands look for the beginning of a line, so that of a metric is enough."""
    for page in PAGES:
        for _, text in blocks(page, "sh", "sh change"):
            for pattern in PATTERN.findall(text):
                for start in _alternatives(pattern):
                    assert any(name.startswith(start) for name in published()), f"{start} of {pattern}"


def test_every_metric_in_the_text_exists() -> None:
    """In full with our prefix; else it is a metric, a cause, or of another program and listed above."""
    for page in PAGES:
        text = prose(page)
        assert set(re.findall(r"(?<!:)\bbioagents_\w+", text)) <= FULL
        assert set(RECORDED.findall(text)) <= recorded().keys()
        assert set(WORD.findall(text)) <= FULL | SHORT | set(CAUSES) | OTHERS


def test_every_query_asks_for_what_exists() -> None:
    """Each line is a query of its own, of known series, selected and grouped by their labels."""
    for page in PAGES:
        for _, text in blocks(page, "promql"):
            for line in text.splitlines():
                used, series = names(line), published() | recorded()
                assert used.metrics <= series.keys(), line
                assert used.metrics, line
                assert [pair for pair in used.matched if pair[1] not in series[pair[0]]] == [], line
                grouped = {label for _, labels in used.grouped for label in labels}
                assert grouped <= set().union(*(series[name] for name in used.metrics)), line


def test_every_other_word_is_used() -> None:
    """So that the list of what is not ours stays short."""
    assert {word for page in PAGES for word in WORD.findall(prose(page))} >= OTHERS


def test_a_pattern_is_taken_apart() -> None:
    """Else the tests above would look at nothing."""
    pattern = 'bioagents_(redis_up|scrape_errors_total.*cause="redis_)'
    assert PATTERN.findall(f"grep -E '^{pattern}'") == [pattern]
    assert list(_alternatives(pattern)) == ["bioagents_redis_up", "bioagents_scrape_errors_total"]
