# awk -f check_orders.awk HEADERS...
# Each memory order is explained: by a comment on its line, on the next one or at most three lines above it. Accesses that
# stand together may share a comment, and "All atomics are relaxed" or "Relaxed throughout" goes for the rest of a file.
# Whether the comment is right, and names the partner, is for the reader to say.

FNR == 1 { since = reach + 1; all_relaxed = 0 }
BEGIN { reach = 3 }

function complain() {
  if (pending != "") ++unexplained
  if (pending != "") print pending
  pending = ""
}

{
  if ($0 ~ /\/\//) {
    since = 0
    pending = ""
  } else {
    complain()
    since = $0 ~ /^ *$/ ? reach + 1 : since + 1
  }
  if (tolower($0) ~ /\/\/.*(all atomics are relaxed|relaxed throughout)/) all_relaxed = 1
  if ($0 ~ /memory_order_[a-z]/) {
    if (since > reach && !(all_relaxed && $0 !~ /memory_order_(acquire|release|acq_rel|seq_cst)/)) pending = FILENAME ":" FNR ": say what this pairs with, or why nothing: " $0
    else since = 0
    ++orders
  }
}

END {
  complain()
  if (orders == 0) print "no memory order in these headers"
  if (unexplained != 0 || orders == 0) exit 1
  print orders " memory orders are explained"
}
