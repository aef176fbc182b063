# awk -f check_orders.awk HEADERS...
# Each memory order is explained: by a comment on its line, on the next one or at most three lines above it. Accesses that
# stand together may share a comment. Whether the comment is right, and names the partner, is for the reader to say.

FNR == 1 { since = reach + 1; pending = "" }
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
  if ($0 ~ /memory_order_[a-z]/) {
    if (since > reach) pending = FILENAME ":" FNR ": say what this pairs with, or why nothing: " $0
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
