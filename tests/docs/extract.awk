# awk -v page=NAME -f extract.awk page.md > page.cpp
# Makes a program of all ```cpp blocks of a page: a block that includes or defines something at namespace scope stands
# as it is, any other becomes the body of a function; main calls these in order. Errors point into the page.
function flush() {
  if (definitions) {
    printf "#line %d \"%s\"\n%s", first, page, block
  } else {
    ++count
    printf "static void block_%d() {\n#line %d \"%s\"\n%s}\n", count, first, page, block
  }
}
/^```cpp$/ { inside = 1; first = NR + 1; block = ""; definitions = 0; next }
/^```$/ && inside { inside = 0; flush(); next }
inside {
  block = block $0 "\n"
  if ($0 ~ /^#include/ || $0 ~ /^(tn::task<.*>|void|int|bool|double|struct|std::[a-z:<>]+) [a-z_]+\(.*\) \{/ || $0 ~ /^struct /)
    definitions = 1
}
END {
  if (inside) { print "#error a block does not end"; exit }
  if (count == 0) print "#error no block was found"
  print "int main() {"
  print "  tartan::start_processes();"
  for (i = 1; i <= count; ++i) printf "  block_%d();\n", i
  print "}"
}
