#!/usr/bin/env bash
# Install the official CLI, the program's dependencies and its provider plugins on a runner; ~/.local/bin is on its PATH.
set -euo pipefail

# The version that local/pulumi/engine.py builds; a test compares the two.
version=3.259.0
releases=https://get.pulumi.com/releases/sdk
archive="pulumi-v$version-linux-x64.tar.gz"

folder=$(mktemp --directory)
for file in "$archive" "pulumi-$version-checksums.txt"; do
    curl --fail --silent --show-error --location --retry 3 --output "$folder/$file" "$releases/$file"
done
(cd "$folder" && grep --fixed-strings "  $archive" "pulumi-$version-checksums.txt" | sha256sum --check --strict)
mkdir --parents ~/.local/bin
tar --extract --gzip --file "$folder/$archive" --strip-components 1 --directory ~/.local/bin

pipx install uv
make setup
pulumi install
