// The work is done by the compiler and the linker; see CMakeLists.txt.
int main() {}
