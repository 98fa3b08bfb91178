"""The type checker finds wrong arguments of resources, which is why it was chosen (docs/adr/0002-tools.md)."""

import subprocess
import sys
from pathlib import Path

WRONG = {
    "no-matching-overload": 'aws.s3.Bucket("b", bukcet="x")',
    "unknown-typed-dict-constructor-key": 'aws.s3.BucketVersioning("v", bucket="b", versioning_configuration={"state": "x"})',
    "invalid-argument-type": 'aws.rds.Cluster("c", engine=3)',
    "invalid-assignment": 'count: int = aws.s3.Bucket("d").arn',
}


def test_a_wrong_argument_of_a_resource_is_found(tmp_path: Path) -> None:
    program = tmp_path / "wrong.py"
    program.write_text("\n".join(["import pulumi_aws as aws", *WRONG.values()]) + "\n")
    checker = Path(sys.executable).parent / "ty"
    command = [checker, "check", "--python", sys.prefix, "--output-format", "concise", program]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert not [rule for rule in WRONG if f"[{rule}]" not in found.stdout]
