"""``bioagents demo``: a whole fleet on this machine; at its end no process and no file is left."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Never

from bioagents_cli.parsing import Parser, UsageError, argument
from bioagents_demo.processes import DemoError, ProgramEnded
from bioagents_demo.run import run
from bioagents_demo.servers import Address
from bioagents_exporter.serve.server import bind
from bioagents_exporter.settings import SettingsError
from bioagents_exporter.settings.model import DEFAULT_LISTEN_ADDRESS
from bioagents_exporter.settings.values import address, seconds

_DESCRIPTION: Final = """\
Run a whole fleet on this machine: a real Valkey, real Dramatiq workers, a producer, the exporter,
and Prometheus and Alertmanager if they are installed. The work of the jobs is simulated."""
_BAD_INPUT: Final = 2
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(argv: list[str], prog: str) -> int:
    """Run the demo; 0 when its time is over or it was stopped, 1 when one of its programs failed."""
    options = _parser(prog).parse(argv)
    try:
        with stopping():
            run(_free(options.listen), options.duration)
    except Stopped:
        _say("stopped; nothing is left behind")
    except BrokenPipeError:  # the reader has ended, as in `bioagents demo | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ProgramEnded as ended:
        if ended.status == _BAD_INPUT:  # one line of our own command: "bioagents exporter: ..."
            raise UsageError(ended.last_line.partition(": ")[2]) from None
        return _fail(prog, ended)
    except DemoError as error:
        return _fail(prog, error)
    else:
        _say("time is over; nothing is left behind")
    return 0


def _parser(prog: str) -> Parser:
    parser = Parser(
        prog,
        description=_DESCRIPTION,
        example=f"{prog} --duration 60",
    )
    parser.add_argument(
        "--duration", type=argument(seconds), metavar="SECONDS",
        help="stop after this time [run until Ctrl-C]",
    )  # fmt: skip
    default = Address(*DEFAULT_LISTEN_ADDRESS)
    parser.add_argument(
        "--web.listen-address", dest="listen", type=argument(_listen), default=default, metavar="HOST:PORT",
        help=f"address that the exporter listens on; port 0: any free one [{default}]",
    )  # fmt: skip
    return parser


def _listen(text: str) -> Address:
    return Address(*address(text))


def _free(listen: Address) -> Address:
    """The same with a free port in place of port 0; UsageError where the exporter could not listen."""
    try:
        sockets = bind((listen.host, listen.port))
    except SettingsError as error:
        raise UsageError(str(error)) from None
    port = sockets[0].getsockname()[1]
    for bound in sockets:
        bound.close()
    return Address(listen.host, port)


def _fail(prog: str, error: DemoError) -> int:
    print(f"{prog}: {error}", file=sys.stderr)  # noqa: T201 - the error message
    return 1


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the result


class Stopped(BaseException):
    """A signal asked the demo to stop."""


@contextmanager
def stopping() -> Iterator[None]:
    """Inside, the first SIGINT, SIGTERM or SIGHUP raises Stopped; all later ones are ignored."""
    before = {signum: signal.signal(signum, _stop) for signum in _ENDING}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _stop(signum: int, frame: FrameType | None) -> Never:  # noqa: ARG001 - the signature of a handler
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped
