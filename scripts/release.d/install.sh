#!/bin/sh
# Installs dispatch {version} for this user: downloads the archive of this machine, compares its SHA-256 with the one
# below, and only then unpacks it. Another place: PREFIX=/usr/local sh install.sh. Run again, it replaces what is there.
set -eu

version='{version}'
# The folder of the release. DISPATCH_URL names another one.
url=${DISPATCH_URL:-'{url}'}
prefix=${PREFIX:-"$HOME/.local"}
# By target.
sums='{sums}'

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

target() {
  system=$(uname -s) cpu=$(uname -m)
  case $system in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) fail "there is no dispatch for $system" ;;
  esac
  case $cpu in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "there is no dispatch for $system on $cpu" ;;
  esac
  # A shell that Rosetta translates says x86_64.
  if [ $os = darwin ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || echo 0)" = 1 ]; then arch=arm64; fi
  libc=''
  if [ $os = linux ] && ldd --version 2>&1 | grep -qi musl; then libc=-musl; fi
  echo "$os-$arch$libc"
}

download() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --connect-timeout 20 --retry 3 --max-time 1800 --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --quiet --timeout=20 --tries=4 --output-document="$2" "$1"
  else
    fail 'curl or wget is needed'
  fi || fail "could not download $1"
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# A function, so that a script that arrived in part does nothing.
main() {
  case $url in
    https://* | file://* | http://127.0.0.1[:/]* | http://localhost[:/]*) ;;
    '') fail 'set DISPATCH_URL to the address of the folder of the release' ;;
    *) fail "$url is not an https address" ;;
  esac
  case $prefix in
    /*) ;;
    *) fail "PREFIX is $prefix, which is not an absolute path" ;;
  esac
  target=$(target)
  name=dispatch-$version-$target
  expected=$(echo "$sums" | sed -n "s/^$target //p")
  [ -n "$expected" ] || fail "this release has no archive for $target"

  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  echo "downloading $name.tar.gz" >&2
  download "$url/$name.tar.gz" "$scratch/archive"
  found=$(sha256 "$scratch/archive")
  [ "$found" = "$expected" ] ||
    fail "the SHA-256 of $name.tar.gz is $found, not $expected: the download is damaged or was replaced; nothing was installed"
  tar -xzf "$scratch/archive" -C "$scratch"
  from=$scratch/$name

  mkdir -p "$prefix/bin" "$prefix/share"
  # Renamed into its place: a daemon may be running from the old file.
  cp "$from/bin/dispatch" "$prefix/bin/.dispatch.new"
  mv -f "$prefix/bin/.dispatch.new" "$prefix/bin/dispatch"
  ln -sf dispatch "$prefix/bin/dispatchd"
  rm -rf "$prefix/share/dispatch"
  cp -R "$from/share/." "$prefix/share/"
  cp "$from/README.md" "$from/LICENSE" "$from/THIRD-PARTY.md" "$from/sbom.cdx.json" "$prefix/share/dispatch/"

  "$prefix/bin/dispatch" --version >/dev/null 2>&1 || {
    case $target in *-musl) hint=': install libstdc++ (apk add libstdc++)' ;; *) hint='' ;; esac
    fail "$prefix/bin/dispatch does not run on this system$hint"
  }
  echo "installed dispatch $version in $prefix/bin" >&2
  case :$PATH: in
    *:"$prefix/bin":*) ;;
    *) echo "add it to your PATH: export PATH=\"$prefix/bin:\$PATH\"" >&2 ;;
  esac
  echo "next: dispatch doctor" >&2
}

main
