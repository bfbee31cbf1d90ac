"""The runbooks that alerts link to: as Markdown, with the commands filled in for one queue.

The pages show their commands for a queue ``chat``. A name that replaces it is quoted for its place, so
that a command with any name can be pasted into a shell: as one word, as a pattern of Redis, inside a program
of awk or of Python, or as a string of PromQL.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

#: A fenced block with its kind, or code within a line.
_CODE: Final = re.compile(
    r"^```(?P<kind>\w*)[^\n]*\n(?P<block>.*?)^```$|`(?P<inline>[^`\n]+)`", re.MULTILINE | re.DOTALL
)
_HEREDOC: Final = re.compile(r"<<'EOF'\n.*?^EOF$", re.MULTILINE | re.DOTALL)
_PYTHON_STRING: Final = re.compile(r"""(["'])chat(\.DQ)?\1""")
_QUOTED: Final = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_WORD: Final = re.compile(r"(?:(?<=\s)|^)(?:dramatiq:|queues=)chat(?:\.[\w.]+)?(?!\S)")
_LABEL: Final = re.compile(r'queue="chat"')


def runbook(alert: str, queue: str = "") -> str | None:
    """The page of one alert as Markdown, for ``queue`` if that is given; None where there is no page."""
    pages = {path.stem: path for path in _folder().glob("*.md")}
    if alert not in pages:
        return None
    text = pages[alert].read_text(encoding="utf-8")
    return filled(text, queue) if queue else text


def index() -> str:
    """Links to all runbooks, as HTML; names of alerts need no escaping."""
    names = sorted(path.stem for path in _folder().glob("*.md"))
    links = "".join(f'<li><a href="{name}">{name}</a></li>\n' for name in names)
    return f"<!doctype html>\n<title>Runbooks</title>\n<h1>Runbooks</h1>\n<ul>\n{links}</ul>\n"


def filled(text: str, queue: str) -> str:
    """The page with its commands for this queue, and a line that says so.

    A name with characters that cannot be seen stays out of the commands: a terminal may obey them.
    """
    title, _, rest = text.partition("\n")
    if not queue.isprintable():
        return f"{title}\n\nWrite the queue's name into the commands yourself: {json.dumps(queue)}.\n{rest}"

    def replaced(code: re.Match[str]) -> str:
        if code["inline"] is not None:
            return code[0] if "`" in queue else f"`{_in_line(code['inline'], queue)}`"
        fill = _in_promql if code["kind"] == "promql" else _in_block
        return code[0].replace(code["block"], fill(code["block"], queue))

    shown = json.dumps(queue, ensure_ascii=False)
    return f"{title}\n\nThe commands on this page are for the queue {shown}.\n{_CODE.sub(replaced, rest)}"


def _in_line(text: str, queue: str) -> str:
    python = _in_python(text, queue)
    return python if python != text else _in_shell(text, queue)


def _in_block(text: str, queue: str) -> str:
    """Commands of a shell, and the programs of Python among them."""
    parts: list[str] = []
    end = 0
    for program in _HEREDOC.finditer(text):
        parts += [_in_shell(text[end : program.start()], queue), _in_python(program[0], queue)]
        end = program.end()
    return "".join([*parts, _in_shell(text[end:], queue)])


def _in_shell(text: str, queue: str) -> str:
    """Words, and strings in single quotes: a program of awk, or a pattern of keys."""

    def in_quotes(quoted: str) -> str:
        content = quoted[1:-1]
        if "chat" not in content or quoted[0] == '"':
            return quoted
        program = _sub(_LABEL, content, lambda: f'queue="{_in_awk(queue)}"')
        return shlex.quote(program if program != content else content.replace("chat", _in_pattern(queue)))

    def word(found: re.Match[str]) -> str:
        return shlex.quote(found[0].replace("chat", queue, 1))

    # What was filled in is not looked at again.
    parts: list[str] = []
    end = 0
    for quoted in _QUOTED.finditer(text):
        parts += [_WORD.sub(word, text[end : quoted.start()]), in_quotes(quoted[0])]
        end = quoted.end()
    return "".join([*parts, _WORD.sub(word, text[end:])])


def _in_awk(queue: str) -> str:
    """The name as /metrics writes it, in a regular expression of awk."""
    label = queue.replace("\\", "\\\\").replace('"', '\\"')
    return re.sub(r"[][\\.^$*+?(){}|/]", lambda found: f"\\{found[0]}", label)


def _in_pattern(queue: str) -> str:
    return re.sub(r"[][\\*?^]", lambda found: f"\\{found[0]}", queue)


def _in_python(text: str, queue: str) -> str:
    return _PYTHON_STRING.sub(lambda found: repr(queue + (found[2] or "")), text)


def _in_promql(text: str, queue: str) -> str:
    return _sub(_LABEL, text, lambda: f"queue={json.dumps(queue, ensure_ascii=False)}")


def _sub(pattern: re.Pattern[str], text: str, replacement: Callable[[], str]) -> str:
    return pattern.sub(lambda _: replacement(), text)


def _folder() -> Path:
    """In the installed package, or in a checkout in docs."""
    packaged = Path(__file__).parents[1] / "runbooks"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "docs" / "runbooks"
