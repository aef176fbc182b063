// Stands in for libFuzzer where the compiler has none: inputs that chance makes, of all lengths, always the same.
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

int main() {
  std::mt19937 random(1);
  for (int round = 0; round != 3000; ++round) {
    std::vector<std::uint8_t> input(random() % (round % 50 == 0 ? 3000 : 100));
    auto const bits = random() % 8 + 1;  // few different bytes are as interesting as many
    for (auto& byte : input) byte = static_cast<std::uint8_t>(random() % (1U << bits));
    if (!input.empty()) input[0] = static_cast<std::uint8_t>(random());
    if (input.size() > 1) input[1] = static_cast<std::uint8_t>(random());
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
}
