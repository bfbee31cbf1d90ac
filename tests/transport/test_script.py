"""The Lua script is compared with ``Store.flush`` call by call: same replies, same data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from support.redis_server import RedisServer
from transport.model import Call, Cell, Hashes, Kind
from transport.real_store import RealStore, TimedStore, lua_source

QUEUES = ["chat", "deep research|x", ""]
SERIES = ["processed|a", 'failures|a "b"|E', "wait_us|a\n"]
CELLS = st.tuples(st.sampled_from(QUEUES), st.sampled_from(SERIES))
DIFFS = st.dictionaries(CELLS, st.integers(0, 10**12), max_size=5).map(Counter)
WHO = st.sampled_from(["w1", "w2", "p1"])
SEQUENCES = st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 2))  # epochs back, base, step
ONE: Counter[Cell] = Counter({("chat", "processed|a"): 1})
FUTURE = 10**12  # microseconds: an epoch begun by a server whose clock was ahead


SETTINGS = settings(
    max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


class CallByCall(RuleBasedStateMachine):
    """The same random calls and faults for both."""

    client: redis.Redis
    lua: str

    def __init__(self) -> None:
        super().__init__()
        self.real, self.model = RealStore(self.client, self.lua), TimedStore()
        self.epochs = [0]  # of all replies
        self.dumps: list[tuple[dict[bytes, bytes], Hashes]] = []

    def call(self, call: Call) -> None:
        """One call to both; replies and data are compared."""
        real = self.real.flush(call)
        self.model.now = self.real.now
        assert real == self.model.flush(call)
        assert self.real.hashes() == self.model.visible()
        self.epochs.append(real.epoch)

    @rule(who=WHO, diffs=DIFFS, blind=st.booleans())
    def go_on(self, who: str, diffs: Counter[Cell], *, blind: bool = False) -> None:
        """A caller with the right epoch and sequence, which may see the run_id or not."""
        seqs = self.model.hash("seqs")
        base = seqs.get(who, 0)
        kind: Kind = "producer" if who == "p1" else "worker"
        self.call(Call(who, seqs.get("__epoch", 0), base, base + bool(diffs), diffs, kind, blind))

    @rule(who=WHO, sequence=SEQUENCES, diffs=DIFFS, kind=st.sampled_from(["worker", "producer", "gone"]))
    def any_call(self, who: str, sequence: tuple[int, int, int], diffs: Counter[Cell], kind: Kind) -> None:
        """A caller with any known epoch and any sequence."""
        back, base, step = sequence
        self.call(Call(who, self.epochs[-1 - back % len(self.epochs)], base, base + step, diffs, kind))

    @rule(who=WHO, diffs=DIFFS, ahead=st.integers(1, 3))
    def call_from_the_future(self, who: str, diffs: Counter[Cell], ahead: int) -> None:
        """A caller that knows a newer epoch: this server has older data."""
        self.call(Call(who, max(self.epochs) + FUTURE * ahead, 0, 1, diffs))

    @rule()
    def dump(self) -> None:
        """A replica or a backup has the current data."""
        self.dumps.append((self.real.dump(), self.model.snapshot()))

    @precondition(lambda self: self.dumps)
    @rule(back=st.integers(0, 3), restarted=st.booleans())
    def roll_back(self, back: int, *, restarted: bool) -> None:
        """An older data set, in a new server process or (with a hidden run_id) the same."""
        dump, snapshot = self.dumps[-1 - back % len(self.dumps)]
        self.model.rollback(snapshot)
        self.model.server -= not restarted
        self.real.rollback(dump, self.model.server)

    @rule()
    def restart(self) -> None:
        """A new server process with the same data."""
        self.model.server += 1
        self.real.server = f"server-{self.model.server}"

    @rule()
    def flushall(self) -> None:
        """All data are deleted."""
        self.real.client.flushall()
        self.model.wipe()

    @rule(
        name=st.sampled_from(
            ["seqs", "beats", "producers", "gone", "queues", *map("totals:{}".format, QUEUES)]
        )
    )
    def lose_hash(self, name: str) -> None:
        """One of our hashes is deleted."""
        self.real.client.delete(self.real.key(name))
        self.model.lose_hash(name)

    @rule(callers=st.frozensets(WHO), age=st.sampled_from([0.0, 1000.0]))
    def reap(self, callers: frozenset[str], age: float) -> None:
        """With age 0 all of these callers are reaped, with a quarter of an hour none."""
        self.real.reap(age, callers)
        self.model.now += 1
        self.model.reap(age, callers)
        assert self.real.hashes() == self.model.visible()

    @rule(silent=st.integers(0, 4), age=st.sampled_from([0, 59_000_000, 61_000_000]))
    def sweep(self, silent: int, age: int) -> None:
        """Some time ago a sweep counted callers that no longer call."""
        at = self.real.now - age
        self.real.client.hset(self.real.keys.seqs, mapping={"__silent": silent, "__swept": at})
        self.model.sweep(silent, at)

    @rule(queue=st.sampled_from(QUEUES))
    def put_junk_in_place_of_totals(self, queue: str) -> None:
        """Something that is not a hash counts as missing."""
        self.real.client.set(self.real.keys.totals(queue), "junk")
        self.model.lose_hash(f"totals:{queue}")


Step = Callable[[CallByCall], None]


def idle(machine: CallByCall) -> None:
    """A heartbeat without differences."""
    machine.go_on(who="w1", diffs=Counter())


def blind(machine: CallByCall) -> None:
    """A heartbeat of a caller that may not call INFO."""
    machine.go_on(who="w1", diffs=Counter(), blind=True)


def swept(machine: CallByCall) -> None:
    """A sweep found one silent caller."""
    machine.sweep(silent=1, age=0)


def swept_long_ago(machine: CallByCall) -> None:
    """A sweep found one silent caller, too long ago."""
    machine.sweep(silent=1, age=61_000_000)


def another(machine: CallByCall) -> None:
    """A heartbeat of another worker."""
    machine.go_on(who="w2", diffs=Counter())


def counts(machine: CallByCall) -> None:
    """A difference of the sequence after the last one."""
    machine.go_on(who="w1", diffs=ONE)


def restart(machine: CallByCall) -> None:
    """A new server process with the same data."""
    machine.restart()


def newer(machine: CallByCall) -> None:
    """A caller whose epoch was begun by a server with a clock ahead."""
    machine.call_from_the_future(who="w1", diffs=Counter(), ahead=1)


def junk(machine: CallByCall) -> None:
    """A totals hash is overwritten."""
    machine.put_junk_in_place_of_totals(queue="chat")


def call(*sequence: int, kind: Kind = "worker") -> Step:
    """A call of any epoch and sequence."""
    back, base, step = sequence
    return lambda machine: machine.any_call(who="w1", sequence=(back, base, step), diffs=Counter(), kind=kind)


#: Rule → a piece of the script, what replaces it, and calls in which the difference shows.
LESS: dict[str, tuple[str, str, tuple[Step, ...]]] = {
    "a new epoch is later than the caller's": ("epoch + 1, ", "", (idle, newer)),
    "a new epoch is later than the stored one": (
        ", current + 1)", ")", (idle, newer, restart, call(1, 0, 0)),
    ),
    "another server begins an epoch": (
        "server ~= its_server\n", "false\n", (idle, restart, idle),
    ),
    "a caller that does not see the server begins no epoch": (
        'local foreign = server ~= "" and', "local foreign =", (idle, blind),
    ),
    "a server that was not seen is not another one": ('its_server ~= "" and ', "", (blind, idle)),
    "the server is noted by the first caller that sees it": (
        'elseif server ~= "" and its_server == "" then\n  redis.call("HSET", seqs, "__server", server)',
        "elseif false then", (blind, idle),
    ),
    "a caller with a newer epoch begins an epoch": (" or epoch > current", "", (idle, newer)),
    "silent callers do not count": (
        "fleet - (tonumber", "fleet - 0 * (tonumber", (idle, another, swept, idle),
    ),
    "a caller counts itself": ("math.max(1, ", "math.max(0, ", (idle, swept, idle)),
    "an old sweep is not believed": ("< 60000000", "< 600000000", (idle, another, swept_long_ago, idle)),
    "a marked hash that is lost begins an epoch": (" or lost ", " ", (idle, counts, junk, counts)),
    "a sequence that went back begins an epoch": (" or rolled_back", "", (newer, call(0, 1, 0))),
    "a caller with another epoch is not applied": ("if epoch == current and stored", "if stored", (counts,)),
    "a sequence already applied is not applied again": (
        " and stored == base and", " and", (idle, counts, call(0, 0, 2)),
    ),
    "old sequences go with their epoch": ('  redis.call("DEL", seqs)\n', "", (idle, counts, newer)),
    "old totals go with their epoch": (
        '      redis.call("DEL", totals)\n', "", (idle, counts, newer, counts),
    ),
    "a queue in use is marked": (
        '      redis.call("HSET", seqs, "q:" .. queue, text(current))\n', "", (idle, counts),
    ),
    "a queue in use is registered": ('      redis.call("SADD", known, queue)\n', "", (idle, counts)),
    "a caller that signed off has no heartbeat": (
        '  redis.call("HDEL", beats, caller)\n', "", (idle, call(0, 0, 0, kind="gone")),
    ),
}  # fmt: skip


def on_real_redis(client: redis.Redis, lua: str = "") -> type[CallByCall]:
    """The comparison on this server; ``lua``: with another script than the worker's."""
    return type("OnRealRedis", (CallByCall,), {"client": client, "lua": lua})


def test_script_does_what_the_specification_does(shared_redis: RedisServer) -> None:
    """Replies and data are the same after every call of 200 random sequences."""
    with shared_redis.client() as client:
        run_state_machine_as_test(on_real_redis(client), settings=SETTINGS)


@pytest.mark.parametrize("rule_of_script", LESS)
def test_script_without_one_rule_is_found(shared_redis: RedisServer, rule_of_script: str) -> None:
    """The same few calls pass with the whole script, and show that a script without the rule differs."""
    whole = lua_source("flush.lua")
    piece, instead, steps = LESS[rule_of_script]
    assert whole.count(piece) == 1, f"the script has changed: {piece}"
    with shared_redis.client() as client:
        play(on_real_redis(client)(), steps)
        with pytest.raises((AssertionError, redis.ResponseError)):
            play(on_real_redis(client, whole.replace(piece, instead))(), steps)


def play(machine: CallByCall, steps: tuple[Step, ...]) -> None:
    """Make each call on both, with all comparisons."""
    for step in steps:
        step(machine)
