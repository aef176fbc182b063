#!/bin/sh
# lending.sh OBJDUMP NM PROGRAM CONTROL OBJECT...
# The OBJECTs are compiled for the baseline and linked into PROGRAM with parts for newer instruction sets. No function
# that they define may contain AVX, BMI or AVX-512 code in PROGRAM, except CONTROL, which must: it shows that the check
# sees what was lent. Functions of the standard library over standard types are outside tartan's reach and are counted.
set -eu
objdump=$1 nm=$2 program=$3 control=$4
shift 4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$nm" --defined-only "$@" | awk 'NF == 3 && $2 ~ /^[TtWwi]$/ { print $3 }' | sort -u >"$work/functions"
"$objdump" -d --no-show-raw-insn "$program" | awk -v control="$control" '
  NR == FNR { baseline[$1] = 1; next }
  /^[0-9a-f]+ <.*>:$/ {
    name = $2; sub(/^</, "", name); sub(/>:$/, "", name)
    inside = name in baseline
    if (inside) ++functions
    next
  }
  inside && (/%[yz]mm/ || /%xmm(1[6-9]|2[0-9]|3[01])/ || /%k[0-7]/ || $2 ~ /^v[a-z]/ && $2 !~ /^ver[rw]$/ ||
             $2 ~ /^(andn|bextr|bls[ir]|blsmsk|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx)$/) {
    if (!(name in lent)) lent[name] = $0
  }
  END {
    for (name in lent) {
      if (name ~ control) seen = 1
      else if (name ~ /^_Z(NK?St|St|N9__gnu_cxx)/ && name !~ /6tartan/) ++standard
      else { printf "lent to the baseline: %s\n  %s\n", name, lent[name]; bad = 1 }
    }
    printf "%d functions of the baseline looked at, %d of the standard library lent\n", functions, standard
    if (functions < 10) { print "too few functions: the names do not match"; bad = 1 }
    if (!seen) { printf "%s was not lent: the check sees nothing\n", control; bad = 1 }
    exit bad
  }' "$work/functions" -
