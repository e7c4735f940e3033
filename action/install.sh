#!/usr/bin/env bash
# Finds, downloads or builds the loadline binary for action.yml, and hands its
# path on as the output `binary`.
#
# In this order: the input binary-path; a release whose SHA-256 stands in
# checksums.txt beside this file, so that the commit a workflow pinned vouches
# for it; a build from the sources around this file.
set -euo pipefail

# unix writes a path as bash's own programs want it: on Windows the runner hands
# out D:\a\_temp, which tar takes for a host and dirname for one name.
unix() {
  if command -v cygpath > /dev/null; then
    cygpath --unix "$1"
  else
    printf '%s\n' "$1"
  fi
}

here=$(cd "$(dirname "$(unix "${BASH_SOURCE[0]}")")" && pwd)
releases=${LOADLINE_RELEASES:-https://github.com/loadline-ci/loadline/releases/download}
temp=$(unix "${RUNNER_TEMP:-${TMPDIR:-/tmp}}")
tools=$(unix "${RUNNER_TOOL_CACHE:-$temp}")

fail() {
  # One line, as an annotation and as the reason in the log.
  printf '::error title=loadline::%s\n' "$1"
  exit 3
}

use() {
  printf 'binary=%s\n' "$1" >> "$GITHUB_OUTPUT"
}

# platform sets os, arch and exe as the names of the archives have them.
platform() {
  case "${RUNNER_OS:-$(uname -s)}" in
    Linux) os=linux exe=loadline ;;
    macOS | Darwin) os=darwin exe=loadline ;;
    Windows | MINGW* | MSYS* | CYGWIN*) os=windows exe=loadline.exe ;;
    *) os=unknown exe=loadline ;;
  esac
  case "${RUNNER_ARCH:-$(uname -m)}" in
    X64 | x86_64 | amd64) arch=amd64 ;;
    ARM64 | arm64 | aarch64) arch=arm64 ;;
    *) arch=unknown ;;
  esac
}

sha256() {
  if command -v sha256sum > /dev/null; then
    sha256sum < "$1" | cut -d ' ' -f 1
  else
    shasum -a 256 < "$1" | cut -d ' ' -f 1
  fi
}

# wanted prints the checksum of an archive, or nothing.
wanted() {
  [ -f "$here/checksums.txt" ] || return 0
  while read -r sum name; do
    if [ "$name" = "$1" ] || [ "$name" = "*$1" ]; then
      printf '%s\n' "$sum"
      return 0
    fi
  done < "$here/checksums.txt"
}

# fetch puts an archive into the tool cache, if it is not there already whole.
# Status 1: it cannot be had. A wrong checksum ends everything: to build instead
# would hide it.
fetch() {
  local archive=$1 sum=$2 to=$3
  if [ -f "$to" ] && [ "$(sha256 "$to")" = "$sum" ]; then
    return 0
  fi
  mkdir -p "$(dirname "$to")"
  local part=$to.$$
  if ! curl --fail --silent --show-error --location --retry 3 --max-time 180 --output "$part" "$releases/v$version/$archive"; then
    rm -f "$part"
    return 1
  fi
  local got
  got=$(sha256 "$part")
  if [ "$got" != "$sum" ]; then
    rm -f "$part"
    fail "the checksum of $archive is $got, and this commit of the action vouches for $sum. Nothing was run; report this at https://github.com/loadline-ci/loadline/issues"
  fi
  mv -f "$part" "$to"
}

# release tries to use a released binary; status 1 when there is none.
release() {
  local archive="loadline_${version}_${os}_${arch}.tar.gz" sum
  sum=$(wanted "$archive")
  if [ -z "$sum" ]; then
    return 1
  fi
  local to="$tools/loadline/$version/$archive" dir
  if ! fetch "$archive" "$sum" "$to"; then
    printf '::warning title=loadline::release %s could not be downloaded\n' "$version"
    return 1
  fi
  dir=$(mktemp -d "$temp/loadline.XXXXXX")
  tar -xzf "$to" -C "$dir" "$exe" || fail "$archive could not be unpacked, though its checksum is right; is the disk full?"
  use "$dir/$exe"
}

# build makes the binary from the sources. Go's own build cache makes a second
# time fast, and knows better than a key of ours when a build is stale.
build() {
  if ! command -v go > /dev/null; then
    fail "no released binary is known to this commit of the action, and there is no Go to build one. Add actions/setup-go before this step, pin a release, or set binary-path"
  fi
  local dir
  dir=$(mktemp -d "$temp/loadline.XXXXXX")
  # No VCS stamp: git refuses checkouts of another owner, which is what a
  # container job has.
  if ! (cd "$here/.." && CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false -o "$dir/$exe" ./cmd/loadline); then
    fail "building loadline from source failed; the reason stands above"
  fi
  use "$dir/$exe"
}

main() {
  platform
  if [ -n "${INPUT_BINARY_PATH:-}" ]; then
    local own
    own=$(unix "$INPUT_BINARY_PATH")
    if [ ! -f "$own" ] || [ ! -x "$own" ]; then
      fail "binary-path: $INPUT_BINARY_PATH is not a file that can be run"
    fi
    # The next step may start elsewhere.
    use "$(cd "$(dirname "$own")" && pwd)/$(basename "$own")"
    return
  fi
  version=${INPUT_VERSION:-}
  version=${version#v}
  if [ "$version" = source ]; then
    build
    return
  fi
  if [ -n "$version" ]; then
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "version: $version is not a version like 1.2.3"
    release || fail "version: $version is no release that this commit of the action has checksums of, for $os $arch. Pin a newer commit of the action, or leave version out"
    return
  fi
  if [ -f "$here/VERSION" ]; then
    version=$(tr -d '[:space:]' < "$here/VERSION")
    if release; then
      return
    fi
  fi
  build
}

main
