"""``bioagents demo``: a whole fleet on this machine, with nothing to install and nothing left behind."""

from __future__ import annotations

import argparse
import os
import sys

from bioagents_cli.parsing import Parser, UsageError
from bioagents_demo.addresses import Address
from bioagents_demo.show import play
from bioagents_demo.signals import Stopped, stopping
from bioagents_demo.stage import ProgramEnded, StageError
from bioagents_exporter.settings.model import DEFAULT_LISTEN_ADDRESS
from bioagents_exporter.settings.values import address, seconds

_BAD_INPUT = 2


def main(argv: list[str], prog: str) -> int:
    """Run the demo; 0 when its time is over or it was stopped, 1 when a part of it failed."""
    options = _parser(prog).parse(argv)
    try:
        with stopping():
            play(_with_port(options.listen), options.duration)
    except Stopped:
        _say("stopped; nothing is left behind")
    except BrokenPipeError:  # nobody reads any longer, as in `bioagents demo | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ProgramEnded as ended:
        if ended.status == _BAD_INPUT:  # ours all say it in one line: "bioagents exporter: ..."
            raise UsageError(ended.last_line.partition(": ")[2]) from None
        return _fail(prog, ended)
    except StageError as error:
        return _fail(prog, error)
    else:
        _say("time is over; nothing is left behind")
    return 0


def _parser(prog: str) -> Parser:
    parser = Parser(
        prog,
        description=(
            "A whole fleet on this machine: a real Valkey, real Dramatiq workers, a producer, the exporter, "
            "and Prometheus and Alertmanager where they are installed. The work of the jobs is simulated."
        ),
        example=f"{prog} --duration 60",
    )
    parser.add_argument(
        "--duration", type=_duration, metavar="SECONDS", help="stop after this time [run until Ctrl-C]"
    )
    default = Address(*DEFAULT_LISTEN_ADDRESS)
    parser.add_argument(
        "--web.listen-address", dest="listen", type=_listen, default=default, metavar="HOST:PORT",
        help=f"where the exporter listens; port 0: any free one [{default}]",
    )  # fmt: skip
    return parser


def _duration(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None


def _listen(text: str) -> Address:
    try:
        return Address(*address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None


def _with_port(listen: Address) -> Address:
    """The same with a free port where any will do; that the host is another machine's shows here then."""
    try:
        return listen if listen.port else Address.free(listen.host)
    except OSError as error:
        raise UsageError(
            f"--web.listen-address {listen}: {error}, expected an address of this host"
        ) from None


def _fail(prog: str, error: StageError) -> int:
    print(f"{prog}: {error}", file=sys.stderr)  # noqa: T201 - the one line of the contract
    return 1


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the last word of the demo
