"""`python -m tools.demo`: run the whole loop, from an empty machine to a stale model that is retrained and replaced.

Exit code 1 if the loop did not close. KEEP=1 in the environment keeps the cluster and prints commands to try.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from tools.demo import steps
from tools.demo.cluster import ROOT, Cluster, DemoError, local_cluster
from tools.demo.pace import slowdown
from tools.demo.report import buckets, check_promises, plot, print_checks, table
from tools.demo.screen import show_progress
from tools.demo.timeline import Timeline, labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

OUTPUT = ROOT / "build" / "demo"
NAMESPACE = "rainfall"
KINDS = ("trainingjobs", "modeldeployments", "driftpolicies")
MARKED = ("DriftExceeded", "EpisodeOpened", "LoopClosed")


class Demo:
    """One run of the demo."""

    def __init__(self, console: Console, output: Path) -> None:
        self.console = console
        self.output = output
        self.begin = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print the title of a step, and its duration."""
        self.console.rule(f"[bold]{title}", align="left")
        begin = time.monotonic()
        yield
        now = time.monotonic()
        self.console.print(f"[dim]{title}: {now - begin:.0f} s, {now - self.begin:.0f} s since the start[/]")

    def run(self) -> bool:
        """Run every step. Return whether all checks passed."""
        with self.step("Cluster and images"):
            # Images first: a new cluster then links their unpacked layers.
            local_cluster("images")
            local_cluster("up")
            local_cluster("load")
            cluster = Cluster(local_cluster("kubeconfig"), local_cluster("bin"), NAMESPACE)
        with self.step("Operator: helm install charts/perennate"):
            steps.install_operator(cluster)
        with self.step("Data: NOAA weather; 8,000 rows for training, the next 10,000 as traffic"):
            steps.prepare_namespace(cluster)
            steps.load_data(cluster, self.output)
        with self.step("Manifests: TrainingJob, ModelDeployment, DriftPolicy"):
            begin = time.monotonic()
            steps.apply_manifests(cluster)
            first = steps.wait_until_serving(cluster, self.console)
            factor = slowdown(time.monotonic() - begin)
            if factor > 1:
                self.console.print(f"  slow or busy machine: the demo takes {factor:.1f} times as long")
                steps.slow_down(cluster, factor)
        truth = labels(self.output / "traffic.csv")
        with self.step("Traffic: 10,000 rows in order; labels are posted after each prediction"):
            timeline = self.traffic(cluster, truth, factor)
        with self.step("Report"):
            return self.report(cluster, timeline, truth, first)

    def traffic(self, cluster: Cluster, truth: list[int], factor: float) -> Timeline:
        """Send the traffic and show the progress."""
        timeline = Timeline()
        steps.start_traffic(cluster, factor=factor)
        with ExitStack() as streams:
            log = streams.enter_context(cluster.stream("logs", "--follow", "job/traffic"))
            sender = read_in_thread(timeline.follow_requests, log)
            for kind in KINDS:
                changes = streams.enter_context(cluster.stream("get", kind, "--watch", "--output", "json"))
                read_in_thread(timeline.follow_objects, changes)
            show_progress(self.console, timeline, truth, finished=lambda: not sender.is_alive())
        # The live streams may have gaps; the final log and objects do not.
        cluster.kubectl("wait", "--for=condition=Complete", "job/traffic", "--timeout=120s")
        timeline.requests.clear()
        timeline.follow_requests(cluster.kubectl("logs", "job/traffic").splitlines())
        timeline.update(cluster.get(",".join(KINDS))["items"])
        return timeline

    def report(self, cluster: Cluster, timeline: Timeline, truth: list[int], first: str) -> bool:
        """Compare with the first model alone, plot, and check the promises."""
        rows = buckets(timeline, truth, steps.fixed_scores(cluster, first))
        marks = [
            (timeline.row_at(e.time), e) for e in timeline.history() if e.kind == "DriftPolicy" and e.reason in MARKED
        ]
        self.console.print(cluster.kubectl("get", "mlops"), soft_wrap=True)
        self.console.print(table(rows))
        for path in plot(rows, marks, self.output):
            self.console.print(f"plot: {path.relative_to(ROOT)}")
        return print_checks(self.console, check_promises(timeline, rows))


def read_in_thread(read: Callable[[Iterable[str]], None], process: subprocess.Popen[str]) -> threading.Thread:
    """Read the output of a process in a new thread."""
    thread = threading.Thread(target=read, args=(process.stdout,), daemon=True)
    thread.start()
    return thread


def run_and_clean_up(
    console: Console,
    run: Callable[[], bool],
    environ: Mapping[str, str],
    *,
    local: Callable[..., str] = local_cluster,
) -> int:
    """Run the demo, then remove the cluster, or with KEEP=1 print commands to try on it.

    Return the exit code: 0 only if all checks passed. The clean-up also runs after an error.
    """
    closed = False
    try:
        closed = run()
    except DemoError as error:
        console.print(f"[bold red]The demo stopped:[/] {escape(str(error))}", soft_wrap=True)
    except KeyboardInterrupt:
        console.print("[bold red]Interrupted[/]")
    finally:
        if environ.get("KEEP") == "1":
            next_steps = steps.next_steps(local("kubeconfig"), local("bin"), NAMESPACE)
            console.print(next_steps, soft_wrap=True, markup=False)
        else:
            local("down")
    return 0 if closed else 1


def main() -> int:
    """Run the demo and clean up."""
    console = Console(highlight=False)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    return run_and_clean_up(console, Demo(console, OUTPUT).run, os.environ)


if __name__ == "__main__":
    sys.exit(main())
