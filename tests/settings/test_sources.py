"""The sources of settings, and their order."""

from __future__ import annotations

import socket
from pathlib import Path

from bioagents_exporter import command
from bioagents_exporter.settings import Limits, QueueLimits, Secret, Settings
from bioagents_exporter.settings.load import load
from bioagents_exporter.settings.model import CONFIG_FILE, OPTIONS, Option

#: For each setting three texts, for the file, the environment and the flag, and their values.
SAMPLES: dict[str, list[tuple[str, object]]] = {
    "redis.url": [(f"redis://h{n}:6379/0", Secret(f"redis://h{n}:6379/0")) for n in range(3)],
    "redis.namespace": [("one", "one"), ("two", "two"), ("{three}", "{three}")],
    "redis.wait": [("yes", True), ("false", False), ("true", True)],
    "redis.heartbeat-timeout": [("30", 30.0), ("2m", 120.0), ("1.5s", 1.5)],
    "redis.dead-message-ttl": [("1d", 86400.0), ("1w", 604800.0), ("1h30m", 5400.0)],
    "web.listen-address": [(":1", ("", 1)), ("h:2", ("h", 2)), ("[::1]:3", ("::1", 3))],
    "fleet": [("a", "a"), ("b c", "b c"), ("ü", "ü")],
    "queues": [("a", ("a",)), ("a, b", ("a", "b")), ("c,c", ("c",))],
    "collect.workers": [("all", "all"), ("host", "host"), ("none", "none")],
    "host": [("x", "x"), ("y", "y"), ("z", "z")],
    "metrics.prefix": [("x_", "x_"), ("y_", "y_"), ("z_", "z_")],
}
FIELDS = {
    "redis.url": "redis_url",
    "redis.namespace": "namespace",
    "redis.wait": "redis_wait",
    "redis.heartbeat-timeout": "heartbeat_timeout",
    "redis.dead-message-ttl": "dead_message_ttl",
    "web.listen-address": "listen_address",
    "web.config.file": "web_config_file",
    "fleet": "fleet",
    "queues": "queues",
    "collect.workers": "collect_workers",
    "host": "host",
    "metrics.prefix": "prefix",
}


def nested(key: str, text: str) -> str:
    """``a.b`` as a nested YAML mapping."""
    lines = [f"{'  ' * depth}{part}:" for depth, part in enumerate(key.split("."))]
    return "\n".join(lines) + f" '{text}'\n"


def loaded(
    folder: Path, *, file: str = "", environ: dict[str, str] | None = None, flags: tuple[str, ...] = ()
) -> Settings:
    """Settings from the three places, as the command loads them."""
    path = folder / "exporter.yml"
    path.write_text(file)
    return load(command.parse(["--config.file", str(path), *flags], "bioagents exporter"), environ or {})


def test_every_setting_has_a_sample() -> None:
    """A new setting joins these tests."""
    assert {*SAMPLES, "web.config.file", "config.file"} == {option.key for option in OPTIONS}
    assert set(FIELDS) == {option.key for option in OPTIONS if option is not CONFIG_FILE}


def test_a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default(tmp_path: Path) -> None:
    """Each place is used as long as no stronger one sets the value."""
    found, expected = {}, {}
    for option in OPTIONS:
        if option.key in SAMPLES:
            values = [value for _, value in SAMPLES[option.key]]
            found[option.key] = values_by_place(option, tmp_path)
            expected[option.key] = [getattr(Settings(), FIELDS[option.key]), *values]
    assert found == expected


def values_by_place(option: Option[object], folder: Path) -> list[object]:
    """The value of nothing, of the file, of the environment with it, and of a flag with both."""
    in_file, in_variable, in_flag = (text for text, _ in SAMPLES[option.key])
    file, environ = nested(option.key, in_file), {option.variable: in_variable}
    all_settings = (
        loaded(folder),
        loaded(folder, file=file),
        loaded(folder, file=file, environ=environ),
        loaded(folder, file=file, environ=environ, flags=(f"{option.flag}={in_flag}",)),
    )
    return [getattr(settings, FIELDS[option.key]) for settings in all_settings]


def test_the_web_configuration_can_be_named_in_each_place(tmp_path: Path) -> None:
    """The one setting whose value must exist."""
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.touch()
    file = nested("web.config.file", str(paths[0]))
    environ = {"BIOAGENTS_WEB_CONFIG_FILE": str(paths[1])}
    assert loaded(tmp_path, file=file).web_config_file == paths[0]
    assert loaded(tmp_path, file=file, environ=environ).web_config_file == paths[1]
    flags = ("--web.config.file", str(paths[2]))
    assert loaded(tmp_path, file=file, environ=environ, flags=flags).web_config_file == paths[2]


def test_the_file_can_be_named_in_the_environment(tmp_path: Path) -> None:
    """Containers set variables more easily than arguments."""
    (tmp_path / "x.yml").write_text("fleet: of the file\n")
    assert load({}, {"BIOAGENTS_CONFIG_FILE": str(tmp_path / "x.yml")}).fleet == "of the file"


def test_redis_url_is_read_as_everyone_spells_it() -> None:
    """REDIS_URL works; our own variable is stronger."""
    assert load({}, {"REDIS_URL": "redis://a"}).redis_url == Secret("redis://a")
    assert load({}, {"REDIS_URL": "redis://a", "BIOAGENTS_REDIS_URL": "redis://b"}).redis_url == Secret(
        "redis://b"
    )


def test_an_empty_variable_is_not_set() -> None:
    """Compose files pass on what is not set as an empty text."""
    assert load({}, {"REDIS_URL": "", "BIOAGENTS_FLEET": ""}) == Settings()


def test_defaults_are_those_of_the_contract() -> None:
    """DESIGN.md, command line."""
    settings = load({}, {})
    assert settings.redis_url.reveal() == "redis://127.0.0.1:6379/0"
    assert (settings.namespace, settings.fleet, settings.prefix) == ("dramatiq", "dramatiq", "bioagents_")
    assert settings.listen_address == ("127.0.0.1", 9877)
    assert (settings.heartbeat_timeout, settings.dead_message_ttl) == (60.0, 7 * 86400.0)
    assert (settings.collect_workers, settings.queues, settings.redis_wait) == ("all", (), False)
    assert settings.host == socket.gethostname()
    assert settings.limits.of("any") == QueueLimits()


def test_the_fleet_is_called_as_its_namespace_unless_it_has_a_name() -> None:
    """Two fleets under one Prometheus must differ."""
    assert load({"redis.namespace": "shop"}, {}).fleet == "shop"
    assert load({"redis.namespace": "shop", "fleet": "eu"}, {}).fleet == "eu"


def test_queues_may_be_a_list_in_the_file(tmp_path: Path) -> None:
    """As YAML has it."""
    assert loaded(tmp_path, file="queues: [chat, deep-research]\n").queues == ("chat", "deep-research")


def test_a_switch_needs_no_value() -> None:
    """``--redis.wait`` alone, or with a value against the environment."""
    assert command.parse(["--redis.wait"], "x") == {"redis.wait": "true"}
    assert command.parse(["--redis.wait=false"], "x") == {"redis.wait": "false"}


def test_limits_of_the_file(tmp_path: Path) -> None:
    """Defaults for all queues, and what differs for one; the rest stays."""
    limits = loaded(
        tmp_path,
        file="""
limits:
  defaults: {depth: 20, wait: 2m}
  queues:
    deep-research: {wait: 1h, failure-ratio: 0.25, min-workers: 2, max-workers: 4, drain: 90,
      job-duration: 8h}
""",
    ).limits
    assert limits.of("chat") == QueueLimits(depth=20, wait_seconds=120.0)
    assert limits.of("deep-research") == QueueLimits(
        depth=20, wait_seconds=3600.0, drain_seconds=90.0, failure_ratio=0.25,
        min_workers=2, max_workers=4, job_duration_seconds=28800.0,
    )  # fmt: skip


def test_a_file_may_be_empty(tmp_path: Path) -> None:
    """A template whose parts are commented out."""
    for file in ("", "# nothing\n", "limits:\n", "redis:\nlimits:\n  defaults:\n  queues:\n"):
        assert loaded(tmp_path, file=file) == Settings(), file
        assert loaded(tmp_path, file=file).limits == Limits(), file


def test_text_in_the_file_is_taken_as_written(tmp_path: Path) -> None:
    """YAML would read 010 as 8, 1:30 as 90 and no as false."""
    assert loaded(tmp_path, file="fleet: no\nredis: {namespace: 010, heartbeat-timeout: 010}\n").fleet == "no"
    settings = loaded(tmp_path, file="redis: {namespace: 010, heartbeat-timeout: 010}\nfleet: 1:30\n")
    assert (settings.namespace, settings.heartbeat_timeout, settings.fleet) == ("010", 10.0, "1:30")
