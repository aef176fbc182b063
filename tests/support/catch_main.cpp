#include "support/catch.hpp"

int main(int argc, char** argv) { return tartan::test::run_catch(argc, argv); }
