#!/usr/bin/env bash
# include_cost.sh COMPILER INCLUDE_FOLDER INSTRUCTION_LIMIT TIME_LIMIT
# Compiles with_tartan.cpp (one pattern, one parallel call) and standard_only.cpp (<algorithm>, <vector>, <thread>) and
# compares what they cost: the instructions that the compiler executes, as valgrind counts them, which neither other
# programs nor the machine change; where there is no valgrind, the processor time, which they do.
set -u -o pipefail

compiler=$1
include=$2
instruction_limit=$3
time_limit=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
counter=(valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null --trace-children=yes)
TIMEFORMAT='%U %S'

compile() { "$compiler" -std=c++20 -I "$include" -c "$here/$1" -o /dev/null; }

# instructions FILE: prints how many millions of instructions compiling it takes, in all processes.
instructions() {
  local report
  report=$("${counter[@]}" "$compiler" -std=c++20 -I "$include" -c "$here/$1" -o /dev/null 2>&1) || return 1
  awk '/I +refs:/ { gsub(",", "", $NF); sum += $NF } END { if (sum == 0) exit 1; printf "%.0f", sum / 1e6 }' <<<"$report"
}

# seconds FILE: prints the user plus system seconds of one compilation.
seconds() {
  local took
  took=$({ time compile "$1" 2>&3; } 3>&2 2>&1) || return 1
  awk '{ print $1 + $2 }' <<<"$took"
}

least() { sort -n | head -n 1; }

# measure_seconds ROUNDS: sets standard and tartan. Turns and least times keep most of what else the machine does out of
# the ratio.
measure_seconds() {
  local a=() b=() i one
  for ((i = 0; i < $1; ++i)); do
    one=$(seconds standard_only.cpp) || exit 1
    a+=("$one")
    one=$(seconds with_tartan.cpp) || exit 1
    b+=("$one")
  done
  standard=$(printf '%s\n' "${a[@]}" | least)
  tartan=$(printf '%s\n' "${b[@]}" | least)
}

within() { awk -v a="$standard" -v b="$tartan" -v l="$limit" 'BEGIN { exit !(b <= l * a) }'; }

compile standard_only.cpp || exit 1  # an error is shown once, and the files are in the cache
compile with_tartan.cpp || exit 1
if command -v "${counter[0]}" >/dev/null && standard=$(instructions standard_only.cpp); then
  unit='million instructions'
  limit=$instruction_limit
  tartan=$(instructions with_tartan.cpp) || exit 1
else
  unit=s
  limit=$time_limit
  measure_seconds 3
  within || measure_seconds 11  # a first verdict over the limit is given a second, longer try
fi
ratio=$(awk -v a="$standard" -v b="$tartan" 'BEGIN { printf "%.2f", b / a }')
echo "<algorithm>, <vector>, <thread>: $standard $unit; with one tartan::map_reduce(par, ...): $tartan $unit;" \
  "ratio $ratio (limit $limit)"
within
