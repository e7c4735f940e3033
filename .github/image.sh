#!/usr/bin/env bash
# image.sh DIST CONTEXT: lays out a build context for the Dockerfile from
# GoReleaser's archives in DIST, and from this machine's CA certificates.
set -euo pipefail

dist=$1
context=$2
mkdir -p "$context"
cp /etc/ssl/certs/ca-certificates.crt "$context/"
for arch in amd64 arm64; do
  mkdir -p "$context/linux/$arch"
  tar -xzf "$dist"/loadline_*_linux_"$arch".tar.gz -C "$context/linux/$arch" loadline
done
