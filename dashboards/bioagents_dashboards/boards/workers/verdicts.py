"""The first row: is any worker gone, full, leaking, idle, restarting, crippled or wrong about the time?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat

from bioagents_dashboards.boards.parts import NO_EXPORTER, NO_FLEET
from bioagents_dashboards.boards.workers.words import NO_RULES
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.panels import Target, Text, stat_panel
from bioagents_dashboards.queries import workers


def stats() -> list[stat.Panel]:
    """One line of numbers for each fleet."""
    return [*_presence(), *_memory(), *_work(), *_soundness()]


def _presence() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Alive",
                "Workers of the fleet with a fresh heartbeat, draining ones included. Normal: as many as you "
                "started; red at 0.",
                NO_FLEET,
            ),
            Target(workers.workers_alive()),
            unit="short",
            thresholds=style.thresholds(style.BAD, (1, style.GOOD)),
        ),
        stat_panel(
            Text(
                "Missing",
                "Workers of the whole fleet that fell silent without a goodbye in the last hour. Normal: "
                "0. Killed, frozen or cut off? The table “Missing or draining” says who: look at that "
                "host first.",
                NO_EXPORTER,
            ),
            Target(workers.workers_missing()),
            unit="short",
            thresholds=style.any_is_bad(),
        ),
    ]


def _memory() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Fullest host",
                "The highest share of a memory limit that the workers of one host or container use together; "
                "workers with one host name and equal limits count as sharing one. Normal: below 70 %. The "
                "alert WorkerMemoryHigh begins at 90 %; at 100 % the kernel kills a worker.",
                NO_RULES,
            ),
            Target(workers.fullest_host()),
            unit="percentunit",
            thresholds=style.thresholds(style.GOOD, (0.7, style.WARN), (workers.MEMORY_HIGH, style.BAD)),
        ),
        stat_panel(
            Text(
                "Leaking",
                "Workers whose memory has grown for six hours, goes on growing and will matter within three "
                "days. Normal: 0. One that stays for an hour is the alert WorkerMemoryLeak. Workers younger "
                "than seven hours are not judged.",
                NO_RULES,
            ),
            Target(workers.leaking_workers()),
            unit="short",
            thresholds=style.thresholds(style.GOOD, (1, style.WARN)),
        ),
    ]


def _work() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Least loaded",
                "What the worker that finishes least does, as a share of the average of workers of the same "
                "queues, over half an hour. Normal: above 50 %; below 20 %, while the others are busier, the "
                "alert WorkersUneven begins. Where each slot finishes fewer than 40 attempts in that time, "
                "chance makes loads uneven, and nothing is compared.",
                "too few jobs to compare, or no rules",
            ),
            Target(workers.least_share_of_load()),
            unit="percentunit",
            thresholds=style.thresholds(style.BAD, (0.2, style.WARN), (0.5, style.GOOD)),
        ),
        stat_panel(
            Text(
                "Boots per worker",
                "On the host with the most of them: workers that started in the last hour for each that it "
                "had. Of all hosts, whichever are chosen. Normal: 0, or 1 after a deployment. The alert "
                "WorkerRestarting begins above 3.5: read why the last ones ended.",
                NO_RULES,
            ),
            Target(workers.most_boots()),
            unit="short",
            thresholds=style.thresholds(style.GOOD, (2.5, style.WARN), (workers.BOOTS_HIGH, style.BAD)),
        ),
    ]


def _soundness() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Threads lost",
                "Worker and consumer threads that died in workers that live. Normal: 0. Dead threads never "
                "return: restart these workers gracefully, one after the other.",
                NO_RULES,
            ),
            Target(workers.lost_threads()),
            unit="short",
            thresholds=style.any_is_bad(),
        ),
        stat_panel(
            Text(
                "Clock skew",
                "The most by which a worker's clock differs from that of Redis. Normal: below a second. "
                "The alert WorkerClockSkew begins at 10 s; from a minute on, running jobs may be started "
                "a second time.",
                NO_RULES,
            ),
            Target(workers.worst_clock_skew()),
            unit="s",
            thresholds=style.thresholds(style.GOOD, (2, style.WARN), (workers.SKEW_HIGH, style.BAD)),
        ),
    ]
