"""A whole cluster on this machine: pods run and are reached, it mends itself, and nothing of it stays behind."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3

from local.aws.emulator import ACCOUNT, Aws
from local.aws.emulator import NAME as AWS
from local.cluster import images
from local.cluster.cluster import Cluster, Running
from local.cluster.error import ClusterError
from local.cluster.external_secrets import Copier
from local.cluster.node import KUBELET
from local.console import Console
from local.home import Home
from local.image.build import ARCHIVE
from local.ports import Ports
from local.postgres import Postgres
from local.processes import Processes

IMAGE = "docker.io/library/vanta-api:latest"
REGION = "eu-west-1"


def pod(name: str, program: str, **spec: Any) -> dict[str, Any]:
    """A pod that runs a Python ``program`` in the API's image, which has no shell."""
    container = {
        "name": "python",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python", "-c", program],
        "ports": [{"containerPort": 8080}],
        **spec,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 1},
    }


def ended(running: Running, manifest: dict[str, Any]) -> str:
    """Run the pod to its end and return what it printed."""
    name = manifest["metadata"]["name"]
    running.kubectl.apply([manifest])
    running.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=60s")
    return running.kubectl("logs", name)


SERVER = """
import http.server
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")
http.server.HTTPServer(("", 8080), Hello).serve_forever()
"""


def test_a_pod_is_reached_by_its_own_its_services_and_the_nodes_address(
    running: Running, until: Callable[..., None]
) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "hello"},
        "spec": {
            "type": "NodePort",
            "selector": {"app": "hello"},
            "ports": [{"port": 80, "targetPort": 8080}],
        },
    }
    running.kubectl.apply([pod("hello", SERVER), service])
    running.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=60s")
    address = running.kubectl("get", "pod", "hello", "-o", "jsonpath={.status.podIP}")
    spec = json.loads(running.kubectl("get", "service", "hello", "-o", "json"))["spec"]

    def answers(place: str) -> bool:
        try:
            with urlopen(f"http://{place}", timeout=2) as response:
                return response.read() == b"hello"
        except OSError:
            return False

    node_port = spec["ports"][0]["nodePort"]
    for place in (f"{address}:8080", spec["clusterIP"], f"{running.network.node}:{node_port}"):
        until(lambda place=place: answers(place))
    program = (
        "from urllib.request import urlopen; print(urlopen('http://hello.default.svc.cluster.local').read())"
    )
    assert "hello" in ended(running, pod("asks-by-name", program))


def test_a_pod_reaches_a_database_of_the_home_and_verifies_it(running: Running, node_home: Home) -> None:
    port = Ports(node_home).claim("postgres", hosts=node_home.addresses)
    folder = node_home.folder("databases", "one")
    server = Postgres(home=node_home, folder=folder, name="postgres", host=node_home.addresses[0], port=port)
    server.initialise(username="vanta", password="secret", database="vanta")
    server.start()
    ca = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "ca"},
        "data": {"ca": server.ca.read_text()},
    }
    running.kubectl.apply([ca])
    program = f"""
import asyncio, asyncpg, os, ssl
async def main():
    context = ssl.create_default_context(cadata=os.environ["CA"])
    connection = await asyncpg.connect(
        host="{server.host}", port={port}, user="vanta", password="secret", database="vanta", ssl=context)
    print(await connection.fetchval("show server_version_num"))
asyncio.run(main())
"""
    environment = [{"name": "CA", "valueFrom": {"configMapKeyRef": {"name": "ca", "key": "ca"}}}]
    try:
        assert ended(running, pod("asks-the-database", program, env=environment)).startswith("17")
    finally:
        server.stop()


def test_a_secret_of_the_emulator_becomes_one_of_the_cluster_and_follows_it(
    running: Running, node_home: Home
) -> None:
    emulator, platform = Aws(node_home), Processes(node_home).running(AWS)
    emulator.start()
    try:
        manager = boto3.client(
            "secretsmanager",
            region_name=REGION,
            endpoint_url=emulator.endpoint,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",
        )
        arn = manager.create_secret(Name="cache", SecretString="first")["ARN"]
        data = [{"secretKey": "cache", "remoteRef": {"key": arn}}]
        wanted = {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": "state-api", "namespace": "default"},
            "spec": {"secretStoreRef": {"name": "aws"}, "target": {"name": "state-api"}, "data": data},
        }
        running.kubectl.apply([wanted])
        copier = Copier(running.kubeconfig, emulator.endpoint, REGION)
        copier.copy()
        assert copier.copy() == 0
        read = ("get", "secret", "state-api", "-o", "go-template={{.data.cache | base64decode}}")
        assert running.kubectl(*read) == "first"
        manager.put_secret_value(SecretId=arn, SecretString="second")
        copier.copy()
        assert running.kubectl(*read) == "second"
        running.kubectl("wait", "--for=condition=Ready", "externalsecret/state-api", "--timeout=10s")
    finally:
        # Of the platform, where tests before this one have brought it up.
        if platform is None:
            emulator.stop()


def test_metrics_of_the_node_are_served(running: Running, until: Callable[..., None]) -> None:
    def measured() -> bool:
        try:
            said = running.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")
        except ClusterError:
            return False
        return [item["metadata"]["name"] for item in json.loads(said)["items"]] == ["node"]

    until(measured, deadline=60)


def test_pods_together_weigh_as_much_as_the_cores_of_the_machine(running: Running) -> None:
    of_a_core = {"cpu.shares": 1024, "cpu.weight": 100}
    (found,) = [
        int(path.read_text()) / of_a_core[path.name]
        for path in Path("/sys/fs/cgroup").rglob(f"{running.network.name}/cpu.*")
        if path.name in of_a_core
    ]
    assert found == os.cpu_count()


def test_a_second_up_changes_nothing(cluster: Cluster, running: Running) -> None:
    assert running.changed
    before = traces()
    assert not cluster.up().changed
    assert traces() == before


def test_what_was_killed_is_started_again_and_pods_run_on(
    cluster: Cluster, running: Running, node_home: Home, until: Callable[..., None]
) -> None:
    running.kubectl.apply([pod("stays", "import signal; signal.pause()")])
    running.kubectl("wait", "--for=condition=Ready", "pod/stays", "--timeout=60s")
    process = Processes(node_home).running(KUBELET)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: Processes(node_home).running(KUBELET) is None)
    assert cluster.up().changed
    running.kubectl("wait", "--for=condition=Ready", "pod/stays", "--timeout=60s")
    assert (
        running.kubectl("get", "pod", "stays", "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
        == "0"
    )


def traces() -> dict[str, list[str]]:
    """What a cluster could leave on a machine, other clusters' own included."""

    def said(*command: str) -> list[str]:
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        return [line for line in lines if not line.startswith(("#", ":"))]

    return {
        "interfaces": said("ip", "-oneline", "-brief", "link"),
        "addresses": said("ip", "-oneline", "-brief", "address"),
        "routes": said("ip", "route"),
        "namespaces": sorted(said("ip", "netns", "list")),
        "rules": said("iptables-save"),
        "mounts": [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()],
        "cgroups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("*/vanta-*")),
        "folders": sorted(str(path) for path in Path("/run").glob("vanta-*")),
        "kernel": [
            Path("/proc/sys/vm/overcommit_memory").read_text(),
            Path("/proc/sys/kernel/panic").read_text(),
        ],
    }


def test_another_checkout_has_its_own_and_leaves_nothing_not_even_after_its_records_are_gone(
    tmp_path: Path, running: Running
) -> None:
    running.kubectl.apply([pod("bystander", "import signal; signal.pause()")])
    running.kubectl("wait", "--for=condition=Ready", "pod/bystander", "--timeout=60s")
    before = traces()
    other = Cluster(Console(), tmp_path / ".vanta-cluster")
    try:
        second = other.up()
        images.load(second.socket, ARCHIVE)
        second.kubectl.apply([pod("stays", "import signal; signal.pause()")])
        second.kubectl("wait", "--for=condition=Ready", "pod/stays", "--timeout=60s")
        assert running.kubectl("get", "pod", "bystander", "-o", "jsonpath={.status.phase}") == "Running"
        assert traces() != before
        shutil.rmtree(tmp_path / ".vanta-cluster" / "processes")
    finally:
        other.down()
    assert traces() == before
    assert not Processes(Home(root=(tmp_path / ".vanta-cluster").resolve())).orphans()
    assert running.kubectl("get", "pod", "bystander", "-o", "jsonpath={.status.phase}") == "Running"
