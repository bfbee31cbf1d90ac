"""Names and selectors of PromQL, in expressions and in annotations, and nothing that only looks like one."""

from __future__ import annotations

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioagents_alerts.variants.rewrite import Rewriter, Series
from bioagents_alerts.variants.selector import Matcher, parse_selector

JOB, REGION = Matcher("job", "=", "x"), Matcher("region", "=~", "eu.*")
REWRITER = Rewriter({
    "b_depth": Series("acme_depth", (JOB,)),
    "queue:b_depth:max": Series("queue:acme_depth:max", (JOB,)),
    "up": Series("up", (JOB,), word=True),
})  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("b_depth", 'acme_depth{job="x"}'),
        ("b_depth{}", 'acme_depth{job="x"}'),
        ('b_depth{state="waiting"} > 1', 'acme_depth{job="x",state="waiting"} > 1'),
        ('b_depth {state="a,}b" , queue!="c",}', 'acme_depth{job="x",state="a,}b",queue!="c"}'),
        ("rate(b_depth[5m] offset 1h)", 'rate(acme_depth{job="x"}[5m] offset 1h)'),
        ("queue:b_depth:max > b_depth", 'queue:acme_depth:max{job="x"} > acme_depth{job="x"}'),
        ("sum without (b, up_to) (b_depth)", 'sum without (b, up_to) (acme_depth{job="x"})'),
        ('up{job="b"} == 0', 'up{job="x"} == 0'),
        ("up{job='b',region=\"eu\"}", 'up{job="x",region="eu"}'),
        ('up{job!="b"}', 'up{job="x",job!="b"}'),
        ("up == 0", 'up{job="x"} == 0'),
        ('label_replace(b_depth, "b_depth", "b_depth", "up", "`")',
         'label_replace(acme_depth{job="x"}, "b_depth", "b_depth", "up", "`")'),
        ("b_depth # of b_depth\n> 5", 'acme_depth{job="x"} # of b_depth\n> 5'),
        ("b_depth_limit + my_b_depth + a:b_depth", "b_depth_limit + my_b_depth + a:b_depth"),
        ('b_depth{q="\\"}"} + b_depth', 'acme_depth{job="x",q="\\"}"} + acme_depth{job="x"}'),
    ],
)  # fmt: skip
def test_names_of_an_expression_are_found_by_their_place(expression: str, expected: str) -> None:
    """Metrics and recorded series; not strings, comments, labels or longer names."""
    assert REWRITER.expression(expression) == expected
    promql_parser.parse(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's b_depth, it is up.", 'It\'s acme_depth{job="x"}, it is up.'),
        ('see up{job="b"}: gone', 'see up{job="x"}: gone'),
        ('topk(5, b_depth{queue={{ $labels.queue | printf "%q" }}}[5m])',
         'topk(5, acme_depth{job="x",queue={{ $labels.queue | printf "%q" }}}[5m])'),
        ('b_depth{a={{ "}}" }},job="b"}', 'acme_depth{job="x",a={{ "}}" }}}'),
        ("up{job={{ $labels.job }}}", 'up{job="x",job={{ $labels.job }}}'),
        ("{{ query `b_depth > 1` }}", '{{ query `acme_depth{job="x"} > 1` }}'),
        ('{{ query "b_depth{a=\\"b\\"}" }}', '{{ query "acme_depth{job=\\"x\\",a=\\"b\\"}" }}'),
        ('{{ printf "up{job=%q}" .Labels.job | query }}',
         '{{ printf "up{job=\\"x\\",job=%q}" .Labels.job | query }}'),
        ("{{ printf `%s` `b` }}{{ $labels.b_depth }}", "{{ printf `%s` `b` }}{{ $labels.b_depth }}"),
        ('{{ $o = printf "%s%s=%q," $o $n $v }}', '{{ $o = printf "%s%s=%q," $o $n $v }}'),
    ],
)  # fmt: skip
def test_promql_in_an_annotation_is_rewritten(text: str, expected: str) -> None:
    """In the text around actions and in the strings of actions; a word stays a word."""
    assert REWRITER.template(text) == expected


def test_a_value_survives_each_kind_of_quoting() -> None:
    """Quotes, backquotes, backslashes and percent signs, in an expression, a text, a string and a format."""
    (matcher,) = parse_selector(r"""job='a"b`c\\d%q'""")
    rewriter = Rewriter({"m": Series("m", (matcher,))})
    promql = r'm{job="a\"b`c\\d%q"}'
    assert rewriter.expression("m") == rewriter.template("m") == promql
    in_go = promql.replace("\\", "\\\\").replace('"', '\\"')
    assert rewriter.template("{{ query `m` }}") == f'{{{{ query "{in_go}" }}}}'
    assert rewriter.template('{{ printf "m" }}') == f'{{{{ printf "{in_go.replace("%", "%%")}" }}}}'


def test_a_selector_without_an_end_is_refused() -> None:
    """Rather than half of an expression rewritten."""
    with pytest.raises(ValueError, match="has no end"):
        REWRITER.expression('b_depth{a="b"')


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
    ],
)
def test_a_selector_is_read_as_promql_reads_it(text: str, expected: tuple[Matcher, ...]) -> None:
    """With or without braces, all three kinds of quotes, escapes, a comma at the end."""
    assert parse_selector(text) == expected


@given(
    st.text(st.characters(exclude_categories=["Cs"])).filter(
        lambda text: "{{" not in text and "}}" not in text
    )
)
def test_any_value_is_written_as_it_was_read(value: str) -> None:
    """What is written is read back as the same value."""
    matcher = Matcher("a", "=", value)
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
        ('queue="chat"', "the label queue: expected labels of the scraped targets"),
        ('__name__="up"', "the label __name__: expected labels"),
        ('job="{{ x"', "would be a template"),
        (
            'job="a",region="eu",job="b"',
            r'no series has two values of job: expected one of them, or job=~"a\|b"',
        ),
        ('job=~"(x"', "is no regular expression"),
        ('job=~"*"', "is no regular expression"),
    ],
)
def test_a_selector_that_is_none_is_refused(text: str, error: str) -> None:
    """The error says what was expected."""
    with pytest.raises(ValueError, match=error):
        parse_selector(text)
