"""``python -m infra.review``: the comment for a preview, and whether it may be merged."""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.names import PROJECT
from infra.review import allowances, comment, cost, data
from infra.review.allowances import Allowance, AllowanceError
from infra.review.preview import Preview, PreviewError, read

_HELP = """\
Writes the comment on standard output. Exit codes: 0 nothing against it; 1 the preview failed, would lose data without
an allowance, or an allowance is expired or not needed; 2 no preview, or the allowances cannot be read.

Example:
  pulumi preview --stack prod --json > preview.json
  python -m infra.review preview.json --stack prod > comment.md

With --drift the file is the output of `pulumi refresh --preview-only --json`, and 1 means that something differs.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.review",
        description="What a pull request would do to a stack.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("preview", type=Path, help="the output of `pulumi preview --json`")
    parser.add_argument("--stack", required=True, help="the stack that was previewed")
    parser.add_argument(
        "--project", default=PROJECT, help=f"its project, if the preview names none ({PROJECT})"
    )
    parser.add_argument("--allowances", type=Path, default=allowances.FILE, help="which data may be lost")
    parser.add_argument("--drift", action="store_true", help="tell what differs in AWS from the state")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON instead")
    given = parser.parse_args(arguments)
    try:
        preview = read(_document(given.preview), stack=given.stack, project=given.project)
        entries = allowances.load(given.allowances)
    except (PreviewError, AllowanceError) as error:
        if not given.json:
            sys.stdout.write(comment.unreadable(given.project, given.stack, str(error)))
        sys.stderr.write(f"{error}\n")
        return 2
    if given.drift:
        sys.stdout.write(comment.render_drift(preview))
        return 1 if preview.changes or preview.errors else 0
    today = dt.datetime.now(dt.UTC).date()
    lost = data.losses(preview)
    allowed, wrong = allowances.judge(entries, lost, stack=preview.stack, today=today)
    if preview.errors:
        # A preview that stopped half way cannot show whether an allowance is needed.
        wrong = []
    passes = not preview.errors and not wrong and all(change.urn in allowed for change in lost)
    text = (
        _findings(preview, allowed, wrong, passes=passes)
        if given.json
        else comment.render(preview, allowed=allowed, wrong=wrong)
    )
    sys.stdout.write(text)
    return 0 if passes else 1


def _document(path: Path) -> object:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise PreviewError(
            f"{path} cannot be read as JSON: {error}. Write it with `pulumi preview --json > {path}`."
        ) from None


def _findings(preview: Preview, allowed: dict[str, Allowance], wrong: list[str], *, passes: bool) -> str:
    reasons = cost.reasons(preview)
    findings = {
        "project": preview.project,
        "stack": preview.stack,
        "passes": passes,
        "counts": {**preview.counts, "same": preview.unchanged},
        "losses": [
            {"action": change.action, "urn": change.urn, "allowed": change.urn in allowed}
            for change in data.losses(preview)
        ],
        "cost": cost.direction(reasons),
        "allowances": wrong,
        "errors": list(preview.errors),
    }
    return json.dumps(findings, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
