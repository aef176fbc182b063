# Sourced by tests/run, bench/run and .ci/run: finds out what is missing and installs it, where that is allowed.

# has_header FILE: whether the system's compiler search path holds FILE.
has_header() {
  local dir more="${CPLUS_INCLUDE_PATH:-}:${CPATH:-}"
  for dir in /usr/include /usr/local/include ${more//:/ }; do
    [ -e "$dir/$1" ] && return 0
  done
  return 1
}

has_package() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# need_packages PACKAGE...: installs the given packages with apt-get, as root or through sudo. Where neither is
# possible, one sentence names what to install, and the script ends.
need_packages() {
  [ $# -eq 0 ] && return 0
  local as_root=""
  if ! command -v apt-get >/dev/null; then
    echo "$0: please install with your system's package manager what Debian calls: $*" >&2
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      echo "$0: please install the missing packages first: sudo apt-get install $*" >&2
      exit 1
    fi
    as_root="sudo"
  fi
  echo "== installing: $*"
  $as_root apt-get update -q || echo "$0: apt-get update failed; trying with the package lists at hand" >&2
  if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" </dev/null; then
    echo "$0: apt-get could not install these packages; please install them first: $*" >&2
    exit 1
  fi
}
