"""The steps of the demo, each with the commands that a user would type."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tools.demo.cluster import ROOT, Cluster, DemoError, condition
from tools.demo.pace import slower_times

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

EXAMPLE = ROOT / "examples" / "01-rainfall"
RATE, RATE_ROWS = '{{name: RATE, value: "{:g}"}}', 45
"""The rate in `traffic.yaml`, in rows per second."""
OPERATOR_NAMESPACE = "perennate-system"


def install_operator(cluster: Cluster) -> None:
    """Install or upgrade the chart, and restart the operator with the current image."""
    chart = str(ROOT / "charts" / "perennate")
    cluster.run("kubectl", "apply", "--server-side", "--force-conflicts", "-f", f"{chart}/crds")
    place = ("--namespace", OPERATOR_NAMESPACE)
    images = ("--set", "image.registry=localhost")
    cluster.run("helm", "upgrade", "--install", "perennate", chart, *place, "--create-namespace", *images, "--wait")
    # The image changes under the same tag, so a running operator must be restarted.
    cluster.run("kubectl", *place, "rollout", "restart", "deployment/perennate-operator")
    cluster.run("kubectl", *place, "rollout", "status", "deployment/perennate-operator", "--timeout=120s")


def prepare_namespace(cluster: Cluster) -> None:
    """Create an empty namespace; delete that of an earlier run first."""
    cluster.run("kubectl", "delete", "namespace", cluster.namespace, "--ignore-not-found", "--wait", timeout=180)
    cluster.run("kubectl", "create", "namespace", cluster.namespace)


def load_data(cluster: Cluster, folder: Path) -> None:
    """Split the data set and copy both files into the claim of the example."""
    subprocess.run([sys.executable, str(EXAMPLE / "dataset.py"), str(folder)], check=True)
    cluster.kubectl("apply", "-f", str(EXAMPLE / "data.yaml"))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/loader", "--timeout=120s")
    for name in ("train.csv", "traffic.csv"):
        cluster.kubectl("cp", str(folder / name), f"loader:/data/{name}")
    cluster.kubectl("delete", "pod", "loader", "--now")


def apply_manifests(cluster: Cluster) -> None:
    """Apply the manifests of the three kinds."""
    for name in ("training-job", "model-deployment", "drift-policy"):
        cluster.kubectl("apply", "-f", str(EXAMPLE / f"{name}.yaml"))


def wait_until_serving(cluster: Cluster, console: Console) -> str:
    """Wait until the first model is served. Return its digest.

    Raises:
        DemoError: the training failed, or no model is served in time.
    """
    printed = ""
    for job in cluster.wait_for("trainingjob", "rainfall-first", seconds=300):
        summary = job.get("status", {}).get("summary", "")
        if summary and summary != printed:
            console.print(f"  TrainingJob/rainfall-first  {summary}")
            printed = summary
        if condition(job, "Failed").get("status") == "True":
            raise DemoError(f"the first training failed: {condition(job, 'Failed')['message']}")
        if condition(job, "Complete").get("status") == "True":
            break
    for deployment in cluster.wait_for("modeldeployment", "rainfall", seconds=300):
        summary = deployment.get("status", {}).get("summary", "")
        if summary and summary != printed:
            console.print(f"  ModelDeployment/rainfall  {summary}")
            printed = summary
        if condition(deployment, "Ready").get("status") == "True":
            digest: str = deployment["status"]["stableRevision"]["digest"]
            return digest
    raise DemoError("the first model is not served")


def slow_down(cluster: Cluster, factor: float) -> None:
    """Multiply the times of the policy by a factor."""
    changes = {"spec": slower_times(cluster.get("driftpolicy", "rainfall")["spec"], factor)}
    cluster.kubectl("patch", "driftpolicy", "rainfall", "--type=merge", "--patch", json.dumps(changes))


def start_traffic(cluster: Cluster, *, factor: float = 1.0) -> None:
    """Start the traffic pod and wait until it is ready. Divide the rate of the example by a factor."""
    create_script_config_map(cluster, "traffic")
    manifest = (EXAMPLE / "traffic.yaml").read_text().replace(RATE.format(RATE_ROWS), RATE.format(RATE_ROWS / factor))
    cluster.kubectl("apply", "-f", "-", stdin=manifest)
    cluster.kubectl("wait", "--for=jsonpath={.status.ready}=1", "job/traffic", "--timeout=120s")


def create_script_config_map(cluster: Cluster, name: str) -> None:
    """Create a ConfigMap with a script of the example."""
    manifest = cluster.kubectl(
        "create",
        "configmap",
        name.replace("_", "-"),
        f"--from-file={EXAMPLE / f'{name}.py'}",
        "--dry-run=client",
        "-o",
        "yaml",
    )
    cluster.kubectl("apply", "-f", "-", stdin=manifest)


def fixed_scores(cluster: Cluster, digest: str) -> list[float]:
    """Return the scores of the first version, loaded from the store, for every row of the traffic."""
    create_script_config_map(cluster, "fixed_model")
    manifest = (EXAMPLE / "fixed-model.yaml").read_text().replace("DIGEST_OF_THE_FIRST_VERSION", digest)
    cluster.kubectl("apply", "-f", "-", stdin=manifest)
    cluster.kubectl("wait", "--for=condition=Complete", "job/fixed-model", "--timeout=120s")
    scores: list[float] = json.loads(cluster.kubectl("logs", "job/fixed-model").splitlines()[-1])
    return scores


def next_steps(kubeconfig: str, programs: str, namespace: str) -> str:
    """Return commands to try on a cluster that was kept."""
    return f"""
The cluster is still up. Try:
  export KUBECONFIG={kubeconfig} PATH={programs}:$PATH
  kubectl -n {namespace} get mlops
  kubectl -n {namespace} describe driftpolicy rainfall
  kubectl -n {namespace} port-forward service/rainfall 3000:80
  make cluster-down
"""
