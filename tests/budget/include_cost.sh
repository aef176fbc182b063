#!/usr/bin/env bash
# include_cost.sh COMPILER INCLUDE_FOLDER [LIMIT]
# Compiles with_tartan.cpp (one pattern, one parallel call) and standard_only.cpp (<algorithm>, <vector>, <thread>) by
# turns and compares the least processor times that they took. Turns and least times keep most of what else the machine
# does out of the ratio; a first verdict over the limit is given a second, longer try.
set -u -o pipefail

compiler=$1
include=$2
limit=${3:-2.0}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TIMEFORMAT='%U %S'

# Prints the user plus system seconds of one compilation.
cost() {
  local took
  took=$({ time "$compiler" -std=c++20 -I "$include" -c "$here/$1" -o /dev/null 2>&3; } 3>&2 2>&1) || return 1
  awk '{ print $1 + $2 }' <<<"$took"
}

least() { sort -n | head -n 1; }

# measure ROUNDS: sets standard, tartan and ratio.
measure() {
  local a=() b=() i one
  for ((i = 0; i < $1; ++i)); do
    one=$(cost standard_only.cpp) || exit 1
    a+=("$one")
    one=$(cost with_tartan.cpp) || exit 1
    b+=("$one")
  done
  standard=$(printf '%s\n' "${a[@]}" | least)
  tartan=$(printf '%s\n' "${b[@]}" | least)
  ratio=$(awk -v a="$standard" -v b="$tartan" 'BEGIN { printf "%.2f", b / a }')
}

within() { awk -v r="$ratio" -v l="$limit" 'BEGIN { exit !(r <= l) }'; }

cost standard_only.cpp >/dev/null || exit 1  # fills the file cache
cost with_tartan.cpp >/dev/null || exit 1
measure 5
within || measure 11
echo "<algorithm>, <vector>, <thread>: $standard s; with one tartan::map_reduce(par, ...): $tartan s; ratio $ratio (limit $limit)"
within
