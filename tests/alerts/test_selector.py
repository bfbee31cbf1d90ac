"""The matchers of ``--selector``, read as PromQL reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioagents_alerts.selector import OWN, Matcher, parse_selector

JOB, REGION = Matcher("job", "=", "x"), Matcher("region", "=~", "eu.*")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('job="x"', (JOB,)),
        ("job='x', region=~`eu.*`", (JOB, REGION)),
        (' { job = "x" , region =~ "eu.*" , } ', (JOB, REGION)),
        (r'a!="\u00e4\"\n",b!~"\\d+"', (Matcher("a", "!=", 'ä"\n'), Matcher("b", "!~", r"\d+"))),
        ('job="x",region=~"eu.*",job="x"', (JOB, REGION, JOB)),
        ('fleet="prod"', (Matcher("fleet", "=", "prod"),)),
        (r'a=~"\\pL+"', (Matcher("a", "=~", r"\pL+"),)),
        ('"k8s.cluster.name"="eu-1"', (Matcher("k8s.cluster.name", "=", "eu-1"),)),
        ("{'a b'!~`c`, \"job\"='x'}", (Matcher("a b", "!~", "c"), JOB)),
    ],
)
def test_a_selector_is_read_as_promql_reads_it(text: str, expected: tuple[Matcher, ...]) -> None:
    """With or without braces, all three kinds of quotes, escapes, a comma at the end."""
    assert parse_selector(text) == expected


TEXT = st.text(st.characters(exclude_categories=["Cs"])).filter(
    lambda text: "{{" not in text and "}}" not in text
)


@given(TEXT.filter(lambda label: label and label not in {*OWN, "__name__"}), TEXT)
def test_any_matcher_is_written_as_it_was_read(label: str, value: str) -> None:
    """What is written is read back as the same name of a label and the same value."""
    matcher = Matcher(label, "=", value)
    assert parse_selector(str(matcher)) == (matcher,)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "expected label matchers"),
        ("job", "expected label matchers"),
        ("job=x", "expected label matchers"),
        ('job="x', "expected label matchers"),
        ('job=="x"', "expected label matchers"),
        ('job="x" region="y"', "expected label matchers"),
        (',job="x"', "expected label matchers"),
        (r'job="\q\x"', "expected label matchers"),
        ('""="x"', "a label without a name"),
        ('"queue"="chat"', "the label queue: expected labels of the scraped targets"),
        ('"{{ x"="y"', "would be a template"),
        ('queue="chat"', "the label queue: expected labels of the scraped targets"),
        ('__name__="up"', "the label __name__: expected labels"),
        ('job="{{ x"', "would be a template"),
        (
            'job="a",region="eu",job="b"',
            r'no series has two values of job: expected one of them, or job=~"a\|b"',
        ),
        ('job=~"(x"', "is not a valid regular expression"),
        ('job=~"*"', "is not a valid regular expression"),
    ],
)
def test_a_selector_that_is_none_is_refused(text: str, error: str) -> None:
    """The error says what was expected."""
    with pytest.raises(ValueError, match=error):
        parse_selector(text)
