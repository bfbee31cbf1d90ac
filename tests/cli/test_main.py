"""``bioagents``: commands, help, and what happens to bad input."""

from __future__ import annotations

import importlib.metadata
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bioagents_cli import main
from bioagents_cli.main import COMMANDS, Command
from bioagents_cli.parsing import UsageError
from bioagents_worker import __version__
from support.polling import wait_until
from support.programs import Program

GOLDEN = Path(__file__).parent / "golden"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m bioagents_cli`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bioagents_cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def with_command(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    """Make a command of this test known."""
    monkeypatch.setattr(main, "COMMANDS", (*COMMANDS, command))


@pytest.mark.parametrize(
    ("arguments", "golden"),
    [
        ((), "bioagents.txt"),
        (("exporter",), "exporter.txt"),
        (("rules",), "rules.txt"),
        (("dashboards",), "dashboards.txt"),
        (("dashboards", "push"), "dashboards-push.txt"),
        (("dashboards", "check"), "dashboards-check.txt"),
    ],
)
def test_help_is_the_golden_text(arguments: tuple[str, ...], golden: str) -> None:
    """On standard output, the same on each terminal; a change is seen in review."""
    finished = run(*arguments, "--help")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == (GOLDEN / golden).read_text()


def test_every_command_shows_an_example() -> None:
    """The contract of DESIGN.md."""
    for command in COMMANDS:
        finished = run(command.name, "--help")
        assert finished.returncode == 0, finished.stderr
        assert "example" in finished.stdout.lower(), command.name
        assert f"bioagents {command.name}" in finished.stdout


def test_every_command_can_be_loaded() -> None:
    """The table names functions that exist."""
    for command in COMMANDS:
        assert callable(command.load())


def test_version() -> None:
    """As other programs print it."""
    finished = run("--version")
    assert (finished.returncode, finished.stdout) == (0, f"bioagents {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("exprter",),
            "bioagents: unknown command 'exprter' (did you mean exporter?): expected demo, exporter",
        ),
        (("-v",), "bioagents: unknown flag '-v'"),
        (("--verson",), "bioagents: unknown flag '--verson' (did you mean --version?)"),
        ((), "bioagents: no command given: expected demo, exporter"),
        (("exporter", "--fleat", "x"), "bioagents exporter: unknown flag --fleat (did you mean --fleet?)"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: tuple[str, ...], line: str) -> None:
    """On standard error, nothing on standard output."""
    finished = run(*arguments)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(line)
    assert finished.stderr.count("\n") == 1


def test_an_error_of_several_lines_is_printed_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever a library put into it."""

    def load(_: Command) -> main.Main:
        raise UsageError("a\n b")

    monkeypatch.setattr(Command, "load", load)
    assert main.main(["exporter"]) == 2
    assert capsys.readouterr().err == "bioagents exporter: a b\n"


def test_a_missing_package_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A base install has no aiohttp."""
    (tmp_path / "needs_more.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    with_command(monkeypatch, Command("more", "", "needs_more:main", "exporter"))
    assert main.main(["more"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("bioagents more: the package not_installed_anywhere is not installed: expected ")
    assert error.endswith("pip install 'bioagents-monitor[exporter]'\n")


def test_a_bug_is_not_taken_for_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of ours that does not exist is no question of extras."""
    with_command(monkeypatch, Command("gone", "", "bioagents_cli.gone:main", "exporter"))
    with pytest.raises(ModuleNotFoundError):
        main.main(["gone"])


def test_commands_get_their_arguments_and_name_and_give_the_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``main(argv, prog) -> int``."""
    (tmp_path / "fine.py").write_text(
        "def main(argv, prog):\n    return 7 if (argv, prog) == (['-x'], 'bioagents fine') else 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with_command(monkeypatch, Command("fine", "", "fine:main"))
    assert main.main(["fine", "-x"]) == 7


def test_control_c_ends_without_a_traceback(tmp_path: Path) -> None:
    """Status 130, as shells have it."""
    (tmp_path / "slow.py").write_text(
        "import time\ndef main(argv, prog):\n    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    code = (
        "import sys; sys.path.insert(0, '.'); from bioagents_cli import main;"
        "main.COMMANDS = (main.Command('slow', '', 'slow:main'),); sys.exit(main.main(['slow']))"
    )
    program = Program([sys.executable, "-c", code], cwd=tmp_path, name="slow")
    try:
        wait_until(lambda: "ready" in program.output(), what="the command")
        program.signal(signal.SIGINT)
        assert program.process.wait(10) == 130
        assert program.output() == "ready\n"
    finally:
        program.kill()


def test_nothing_is_imported_before_its_command_is_called() -> None:
    """``bioagents --help`` and a worker's machine need no aiohttp."""
    heavy = ("aiohttp", "redis", "yaml", "dramatiq")
    code = f"import sys, bioagents_cli.main; print([name for name in {heavy} if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"


def test_the_installed_program_is_this_one() -> None:
    """The entry point of the distribution."""
    (point,) = [p for p in importlib.metadata.entry_points(group="console_scripts") if p.name == "bioagents"]
    assert point.load() is main.main
