#!/usr/bin/env bash
# image.sh DIST CONTEXT [ARCH...]: lays out a build context for the Dockerfile from
# GoReleaser's archives in DIST, and from this machine's CA certificates.
set -euo pipefail

dist=$1
context=$2
shift 2
[ $# -gt 0 ] || set -- amd64 arm64
mkdir -p "$context/tmp"
cp /etc/ssl/certs/ca-certificates.crt "$context/"
for arch in "$@"; do
  mkdir -p "$context/linux/$arch"
  tar -xzf "$dist"/loadline_*_linux_"$arch".tar.gz -C "$context/linux/$arch" loadline
done
