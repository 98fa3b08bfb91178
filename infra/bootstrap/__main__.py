"""``python -m infra.bootstrap``: the state backend and the roles of the workflows, made or mended."""

import argparse
import json
import sys
from collections.abc import Sequence

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.bootstrap import plan as plans
from infra.bootstrap import summary
from infra.bootstrap.build import build
from infra.bootstrap.clients import Clients, clients_of
from infra.bootstrap.ledger import Ledger
from infra.bootstrap.plan import Plan
from infra.bootstrap.refusal import BootstrapError, explained

_HELP = """\
Run it with an administrator's credentials, in the account that holds the stacks. It changes only what differs: run it again at
any time, and with --dry-run to see what somebody changed. Exit codes: 0 done; 1 refused, and standard error says why.

Example:
  python -m infra.bootstrap --region eu-west-1 --replica-region eu-central-1 \\
    --repository example/vanta --stacks dev,prod,prod-dr --account 111122223333
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = _parser().parse_args(arguments)
    names = [name.strip() for name in given.stacks.split(",")]
    # With --json standard output carries the JSON alone.
    progress = sys.stderr if given.json else sys.stdout
    ledger = Ledger(dry_run=given.dry_run, tell=lambda line: print(line, file=progress, flush=True))
    try:
        plans.check(
            region=given.region,
            replica_region=given.replica_region,
            repository=given.repository,
            stacks=names,
        )
        clients = clients_of(boto3.Session())
        account, partition = _caller(clients, given.region, wanted=given.account)
        plan = Plan(
            account=account,
            partition=partition,
            region=given.region,
            replica_region=given.replica_region,
            repository=given.repository,
            stacks=plans.stacks_of(names),
        )
        build(clients, plan, ledger)
    except BootstrapError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if given.json:
        sys.stdout.write(
            json.dumps(summary.facts(plan, ledger.changes, dry_run=given.dry_run), indent=2) + "\n"
        )
    else:
        sys.stdout.write("\n" + summary.text(plan, ledger.changes, dry_run=given.dry_run))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.bootstrap",
        description="Make what the first `pulumi up` needs: state in two regions, its key, and the workflows' roles.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--region", required=True, help="where the state lies")
    parser.add_argument("--replica-region", required=True, help="where its copy lies")
    parser.add_argument(
        "--repository", required=True, help="owner/name on GitHub; its jobs may take the roles"
    )
    parser.add_argument("--stacks", required=True, help="the stacks, with commas between them")
    parser.add_argument("--account", help="refuse credentials of any other account")
    parser.add_argument("--dry-run", action="store_true", help="tell what would change and change nothing")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    return parser


def _caller(clients: Clients, region: str, *, wanted: str | None) -> tuple[str, str]:
    """The account and the partition of the credentials.

    Raises:
        BootstrapError: there are none, or they are another account's.
    """
    try:
        caller = clients("sts", region).get_caller_identity()
    except ClientError as error:
        raise explained(error, "who am I") from None
    except BotoCoreError as error:
        raise BootstrapError(
            f"AWS could not be asked who you are: {error}. Sign in, such as with `aws sso login`."
        ) from None
    account, partition = caller["Account"], caller["Arn"].split(":")[1]
    if wanted is not None and account != wanted:
        raise BootstrapError(
            f"These credentials are account {account}'s, but --account is {wanted}. Sign in to that one."
        )
    return account, partition


if __name__ == "__main__":
    sys.exit(main())
