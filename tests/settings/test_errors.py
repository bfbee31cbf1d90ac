"""Every bad value is refused in one line that names it, its place and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioagents_cli.parsing import UsageError
from bioagents_exporter import command
from bioagents_exporter.settings import SettingsError
from bioagents_exporter.settings.load import load

BAD_VALUES = [
    ("redis.url", "127.0.0.1:6379", "expected redis://"),
    ("redis.url", "http://127.0.0.1", "expected redis://"),
    ("redis.url", "redis://h:99999", "expected redis://"),
    ("redis.url", "redis://h:abc", "expected redis://"),
    ("redis.url", "redis+sentinel://h/name/zero", "expected the database as a whole number"),
    ("redis.url", "redis://a,b/0", "expected one host"),
    (
        "redis.url",
        "redis://h/0?socket_timout=1",
        "unknown option socket_timout (did you mean socket_timeout?)",
    ),
    ("redis.url", "redis://h/0?socket_timeout=soon", "option socket_timeout: expected seconds"),
    ("redis.url", "redis://h/0?sentinel_username=x", "unknown option sentinel_username"),
    (
        "redis.url",
        "rediss://h/0?ssl_cert_reqs=maybe",
        "option ssl_cert_reqs: expected none, optional or required",
    ),
    ("redis.url", "unix://", "expected the whole path"),
    ("redis.url", "redis+sentinel://a,b", "expected the name of the primary"),
    ("redis.url", "redis+sentinel://:26379/name", "expected redis://"),
    ("redis.url", "redis://[::1", "expected redis://"),
    ("redis.namespace", "a b", "expected the namespace"),
    ("redis.namespace", "a*", "expected the namespace"),
    ("redis.namespace", "a?", "expected the namespace"),
    ("redis.namespace", "[a]", "expected the namespace"),
    ("redis.namespace", "a{b", "no braces but one pair"),
    ("redis.namespace", "a}b", "no braces but one pair"),
    ("redis.namespace", "{a}{b}", "no braces but one pair"),
    ("redis.namespace", "{}a", "no braces but one pair"),
    ("redis.wait", "perhaps", "expected true or false"),
    ("redis.heartbeat-timeout", "soon", "expected a duration"),
    ("redis.heartbeat-timeout", "0", "expected a duration above zero"),
    ("redis.heartbeat-timeout", "-5", "expected a duration above zero"),
    ("redis.heartbeat-timeout", "nan", "expected a duration"),
    ("redis.heartbeat-timeout", "inf", "expected a duration"),
    ("redis.heartbeat-timeout", "5 parsecs", "expected a duration"),
    ("redis.dead-message-ttl", "5m5", "expected a duration"),
    ("redis.dead-message-ttl", "1d1d", "expected a duration"),
    ("redis.dead-message-ttl", "30m1h", "expected a duration"),
    ("web.listen-address", "9877", "expected host:port"),
    ("web.listen-address", "h:", "expected host:port"),
    ("web.listen-address", "h:65536", "expected host:port"),
    ("web.listen-address", "http://h:1", "expected host:port"),
    ("web.listen-address", "::1:9877", "expected host:port"),
    ("web.config.file", "/does/not/exist", "expected the path of a file that exists"),
    ("web.config.file", "/dev", "expected a regular file, not a folder or a device"),
    ("web.config.file", "/dev/null", "expected a regular file, not a folder or a device"),
    ("fleet", "  ", "expected a name"),
    ("fleet", "a\nb", "expected a name"),
    ("queues", "chat,", "expected the name of a Dramatiq queue"),
    ("queues", "chat,9lives", "expected the name of a Dramatiq queue"),
    ("queues", "chat.DQ", "expected the queue itself, chat"),
    ("queues", "__x", "Dramatiq's own keys"),
    ("queues", "chat.msgs", "Dramatiq's own keys"),
    ("collect.workers", "some", "expected all, host or none"),
    ("host", "\t", "expected a name"),
    ("metrics.prefix", "bioagents", "with an underscore at the end"),
    ("metrics.prefix", "9_", "expected letters"),
]


def variable(key: str) -> str:
    """The environment variable of a setting."""
    return "BIOAGENTS_" + key.upper().replace(".", "_").replace("-", "_")


def refusal(flags: dict[str, str], environ: dict[str, str]) -> str:
    """The one line."""
    with pytest.raises(SettingsError) as caught:
        load(flags, environ)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_bad_value_is_named_with_its_place(tmp_path: Path) -> None:
    """Flag, variable and file alike: the place, the value and what was expected."""
    file = tmp_path / "exporter.yml"
    wrong = []
    for key, text, expected in BAD_VALUES:
        file.write_text(nested(key, text))
        messages = {
            f"--{key}: ": refusal({key: text}, {}),
            f"${variable(key)}: ": refusal({}, {variable(key): text}),
            f"{file}:{key} (line {len(key.split('.'))}): ": refusal({"config.file": str(file)}, {}),
        }
        for place, message in messages.items():
            if not message.startswith(place) or expected not in message or repr(text) not in message:
                wrong.append((key, text, message))
    assert wrong == []


def nested(key: str, text: str) -> str:
    """A YAML file with this one setting."""
    quoted = text.replace("\n", "\\n").replace("\t", "\\t")
    lines = [f"{'  ' * depth}{part}:" for depth, part in enumerate(key.split("."))]
    return "\n".join(lines) + f' "{quoted}"\n'


def test_an_empty_namespace_is_refused() -> None:
    """It would read every key's neighbour."""
    assert "expected the namespace" in refusal({"redis.namespace": ""}, {})


BAD_FILES = [
    ("fleet: a\nfleet: b\n", ":fleet (line 2): given twice"),
    ("redis:\n  url: redis://a\n  url: redis://b\n", ":redis.url (line 3): given twice"),
    ("flet: a\n", ":flet (line 1): unknown key (did you mean fleet?)"),
    ("redis:\n  namspace: a\n", ":redis.namspace (line 2): unknown key (did you mean namespace?)"),
    ("redis: {heartbeat: {timeout: 60}}\n", ":redis.heartbeat (line 1): unknown key"),
    ("web: {config: {fil: x}}\n", ":web.config.fil (line 1): unknown key (did you mean file?)"),
    ("config: {file: x}\n", ":config (line 1): unknown key"),
    ("redis: redis://a\n", ":redis (line 1): 'redis://a': expected a mapping"),
    ("redis: [a]\n", ":redis (line 1): a list: expected a mapping"),
    ("fleet: [a]\n", ":fleet (line 1): a list: expected a single value"),
    ("fleet: {a: b}\n", ":fleet (line 1): a mapping: expected a single value"),
    ("fleet:\n", ":fleet (line 1): no value: expected a single value"),
    ("queues: [[a]]\n", ":queues[0] (line 1): a list: expected a single value"),
    ("queues: [a.XQ]\n", ":queues (line 1): 'a.XQ': expected the queue itself"),
    ("- a\n", " (line 1): a list: expected a mapping"),
    ("limits: {defaults: {dept: 5}}\n", ":limits.defaults.dept (line 1): unknown key (did you mean depth?)"),
    ("limits: {default: {depth: 5}}\n", ":limits.default (line 1): unknown key (did you mean defaults?)"),
    (
        "limits: {defaults: {depth: many}}\n",
        ":limits.defaults.depth (line 1): 'many': expected a whole number",
    ),
    ("limits: {defaults: {depth: -1}}\n", "'-1': expected a whole number"),
    ("limits: {defaults: {failure-ratio: 10}}\n", "'10': expected a ratio from 0 to 1"),
    ("limits: {queues: {chat: {wait: 0}}}\n", ":limits.queues.chat.wait (line 1): '0': expected a duration"),
    ("limits: {queues: {chat: {wait: [1]}}}\n", "a list: expected a single value"),
    ("limits: {queues: {a b: {wait: 1}}}\n", "'a b': expected the name of a Dramatiq queue"),
    ("limits: {queues: {chat: {min-workers: 9}}}\n", "min-workers 9, max-workers 8: expected a minimum"),
    ("fleet: 'a\n", "expected YAML"),
    ("fleet: a\n---\nfleet: b\n", "expected YAML"),
    ("fleet: &a b\nhost: *a\n", "(line 2): expected YAML: aliases are not supported"),
    ("a: &a [*a]\n", "aliases are not supported"),
    ("[a]: b\n", "(line 1): expected a plain key"),
    ("fleet: " + "[" * 5000, "nested too deeply"),
]


def test_a_bad_file_is_named_with_the_line(tmp_path: Path) -> None:
    """Unknown keys at any depth, wrong kinds, keys given twice, and what is no YAML."""
    file = tmp_path / "exporter.yml"
    wrong = []
    for text, expected in BAD_FILES:
        file.write_text(text)
        message = refusal({"config.file": str(file)}, {})
        if not message.startswith(str(file)) or expected not in message:
            wrong.append((text, message))
    assert wrong == []


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """An image, say."""
    file = tmp_path / "exporter.yml"
    file.write_bytes(b"\xff\xfe\x00\xd8fleet: \xff")
    assert "expected YAML in UTF-8" in refusal({"config.file": str(file)}, {})


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """Named in the environment as well."""
    missing = str(tmp_path / "none.yml")
    message = refusal({}, {"BIOAGENTS_CONFIG_FILE": missing})
    assert message == f"$BIOAGENTS_CONFIG_FILE: {missing!r}: expected the path of a file that exists"
    too_long = refusal({"config.file": "x" * 300}, {})
    assert too_long.endswith("expected the path of a file that exists")


BAD_COMMAND_LINES = [
    (["--redis.ur=redis://:hunter2@h"], "unknown flag --redis.ur (did you mean --redis.url?)"),
    (["--redis.ur", "redis://:hunter2@h"], "unknown flag --redis.ur (did you mean --redis.url?)"),
    (["redis://:hunter2@h"], "expected a flag, got a value as argument 1: see"),
    (["--redis.url", "redis://:a", "hunter2", "b@h"], "expected a flag, got a value as argument 3: see"),
    (["--queues", "chat", "deep-research"], "expected a flag, got 'deep-research': see"),
    (["--fleet"], "expected one argument"),
    (["--fleet", "a", "--fleet=b"], "--fleet is given twice"),
    (["--redis", "x"], "unknown flag --redis"),
    (["-x"], "unknown flag -x"),
]


def test_a_bad_command_line_is_refused() -> None:
    """Abbreviations are no flags, and no value is repeated that may be a secret."""
    wrong = []
    for argv, expected in BAD_COMMAND_LINES:
        with pytest.raises(UsageError) as caught:
            command.parse(argv, "bioagents exporter")
        message = str(caught.value)
        if expected not in message or "hunter2" in message:
            wrong.append((argv, message))
    assert wrong == []
