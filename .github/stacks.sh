#!/usr/bin/env bash
# Print the stacks as a job's output: one a configuration file, in the order of their names, the one of a machine left out.
set -euo pipefail

names=$(basename --multiple --suffix .yaml Pulumi.*.yaml | sed 's/^Pulumi\.//' | grep --extended-regexp '^[a-z0-9-]+$' \
    | grep --invert-match --line-regexp local | sort | sed 's/.*/"&"/' | paste --serial --delimiters ,)
echo "names=[$names]"
