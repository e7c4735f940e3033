#!/usr/bin/env bash
# pin.sh TAG CHECKSUMS: on top of the tag's commit, which is checked out, commits
# what action/install.sh trusts, and tags that commit: action-v1.2.3 for good, and
# v1, which moves. It pushes nothing.
set -euo pipefail

tag=$1
checksums=$2
[[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "pin.sh: $tag is no release's tag" >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "$(git rev-parse HEAD)" != "$(git rev-parse "$tag^{commit}")" ]; then
  echo "pin.sh: the checkout is not at $tag" >&2
  exit 2
fi
for os in linux darwin windows; do
  for arch in amd64 arm64; do
    grep --quiet --extended-regexp "^[0-9a-f]{64}  loadline_${tag#v}_${os}_$arch\.tar\.gz$" "$checksums" ||
      { echo "pin.sh: $checksums has no loadline_${tag#v}_${os}_$arch.tar.gz" >&2; exit 2; }
  done
done
cp "$checksums" action/checksums.txt
printf '%s\n' "${tag#v}" > action/VERSION
git add --force action/VERSION action/checksums.txt
git -c user.name="github-actions[bot]" -c user.email="41898282+github-actions[bot]@users.noreply.github.com" \
  commit --quiet --message "Action of release $tag"
git tag "action-$tag"
git tag --force "${tag%%.*}" > /dev/null
