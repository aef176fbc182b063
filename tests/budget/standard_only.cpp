#include <algorithm>
#include <thread>
#include <vector>

int main() {}
