"""``python -m local cluster``: a real Kubernetes on this machine, for whoever has none."""

import json
import os
import signal
from pathlib import Path

import click

from local.cluster import crds, images
from local.cluster.build import Binaries, build_binaries, find_binaries
from local.cluster.cluster import CONTEXT, FOLDER, Cluster, Running
from local.cluster.error import ClusterError
from local.cluster.kubectl import Kubectl, named
from local.cluster.light import serving
from local.cluster.network import claim
from local.console import Console
from local.home import REPOSITORY, Home
from local.image.build import ARCHIVE
from local.usage import lines

_other = click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Another cluster: kind, k3d, a real one.",
)
_context = click.option("--context", help="Which of that file's contexts; it is never guessed.")


@click.group()
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=REPOSITORY / FOLDER,
    show_default=".vanta-cluster of this checkout",
    help="The folder that holds all state.",
)
@click.pass_context
def cluster(context: click.Context, home: Path) -> None:
    """Run a real single-node Kubernetes on this machine, or use another cluster.

    \b
    Example, as root:
      python -m local cluster up
      python -m local cluster kubectl get nodes
    """
    context.obj = (Console(), home)


Place = tuple[Console, Path]


@cluster.command()
@click.pass_obj
def build(place: Place) -> None:
    """Build Kubernetes into the cache where it is not there yet, and start nothing."""
    console, _ = place
    click.echo(str(_binaries(console).kubernetes.parent))


@cluster.command()
@_other
@_context
@click.pass_obj
def up(place: Place, kubeconfig: Path | None, context: str | None) -> None:
    """Bring the cluster up, or start what is down; with --kubeconfig: prepare that one instead."""
    console, home = place
    if kubeconfig is not None:
        kubectl = named(_binaries(console).kubernetes, kubeconfig, context)
        crds.install(kubectl)
        console.say(f"\nThe cluster of context {context} answers and knows the custom resources in use.")
        return
    _show(console, Cluster(console, home).up())


@cluster.command()
@click.option(
    "--archive",
    type=click.Path(path_type=Path, dir_okay=False),
    default=ARCHIVE,
    show_default="what `make image` built",
    help="The API's image.",
)
@click.pass_obj
def deploy(place: Place, archive: Path) -> None:
    """Bring the cluster up and the platform into it: engines beside it, the state API's pods in it."""
    from local.cluster.platform import ClusterPlatform  # noqa: PLC0415 - boto3 takes half a second to import

    console, home = place
    if not archive.exists():
        raise ClusterError(f"there is no image at {archive}: build it with `make image`.")
    running = Cluster(console, home).up()
    platform = ClusterPlatform(home=Home.at(home), running=running)
    with console.step("image") as step:
        step.outcome = image = platform.load(archive)
    with console.step("pulumi up") as step:
        change = platform.up(image)
        step.outcome = ", ".join(f"{count} {kind}" for kind, count in sorted(change.operations.items()))
    _show(console, running)
    url, key = platform.url(), platform.key(change.outputs)
    console.table(
        "The state API",
        {
            "URL, from this machine": url,
            "API key": str(key),
            "first request": f'curl -H "Authorization: Bearer $(cat {key})" {url}/v1/state/notes/first',
            "from elsewhere": "python -m local cluster kubectl port-forward --namespace vanta service/state-api 8080:80",
            "metrics": f"{url}/metrics",
        },
    )


@cluster.command()
@click.pass_obj
def down(place: Place) -> None:
    """Stop everything and remove its state, mounts, network and rules."""
    console, home = place
    count = Cluster(console, home).down()
    console.say(f"\nNothing of this checkout's cluster is left ({count} processes stopped).")


@cluster.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON on standard output.")
@click.pass_obj
def status(place: Place, *, as_json: bool) -> None:
    """Show what runs, with its memory."""
    found = Cluster(*place).status()
    if as_json:
        click.echo(json.dumps(found))
        return
    if not found["processes"]:
        click.echo("No cluster is running. Start it with: make cluster-up")
        return
    click.echo(f"kubeconfig {found['kubeconfig']}")
    for line in lines(found["processes"], "make cluster-up"):
        click.echo(line)


@cluster.command()
@click.pass_obj
def api(place: Place) -> None:
    """Serve the API alone until interrupted: no root, no pods, every manifest judged as on a real cluster."""
    console, home = place
    with serving(Home.at(home / "light"), _binaries(console)) as kubeconfig:
        click.echo(str(kubeconfig))
        console.say("Press Ctrl-C to end it.")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


@cluster.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def kubectl(place: Place, arguments: tuple[str, ...]) -> None:
    """Run kubectl ARGUMENTS against this cluster, whatever KUBECONFIG says."""
    console, home = place
    reached = _own(console, home)
    program = str(reached.program)
    where = ["--kubeconfig", str(reached.kubeconfig), "--context", reached.context]
    os.execv(program, [program, "kubectl", *where, *arguments])  # noqa: S606 - kubectl takes this process's place


@cluster.command()
@click.argument("archive", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def image(place: Place, archive: Path) -> None:
    """Load the images of ARCHIVE (OCI, or `docker save`) into the node, which pulls none."""
    console, home = place
    _own(console, home)
    network = claim(Home.at(home))
    for name in images.load(Path("/run") / network.name / "containerd.sock", archive):
        click.echo(name)


def _own(console: Console, home: Path) -> Kubectl:
    kubeconfig = home / "kubernetes" / "pki" / "admin.kubeconfig"
    if not kubeconfig.exists():
        raise ClusterError(f"no cluster is running in {home}: start it with `make cluster-up`.")
    return Kubectl(program=_binaries(console).kubernetes, kubeconfig=kubeconfig, context=CONTEXT)


def _binaries(console: Console) -> Binaries:
    found = find_binaries()
    if found is not None:
        return found
    with console.step("kubernetes") as step:
        return build_binaries(lambda done, total: step.report("compiling", done, total))


def _show(console: Console, running: Running) -> None:
    state = "is up" if running.changed else "was up already; nothing changed"
    console.say(f"\nThe cluster {state} ({running.seconds:.1f} s).")
    console.table(
        "Reach it",
        {
            "kubeconfig": str(running.kubeconfig),
            "NodePorts": f"{running.network.node} (ClusterIPs and pods directly)",
            "this machine, from pods": running.network.machine[0],
            "kubectl": "python -m local cluster kubectl get pods --all-namespaces",
        },
    )
