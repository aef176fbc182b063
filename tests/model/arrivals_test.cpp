// The shipped list of arrivals under the C++20 model: everything that is sent is received once, with what was written
// before, and a receiver that lies down never misses anything.

#include "tartan/core/arrivals.hpp"  // arrivals
#include "atomics.hpp"               // model::atomics, data
#include "check.hpp"                 // run_checks, mutation_table

namespace {

using model::parallel;
using model::require;

struct item {
  model::data<int> payload{0};
  int received = 0;
  item* next_arrival = nullptr;
};

struct fixture {
  tartan::detail::arrivals<item, model::atomics> list;
  item items[3];

  void send(int k) {
    items[k].payload.set(7);
    list.put(&items[k]);
  }
  /// Until `n` items have come.
  void receive(int n) {
    while (n != 0) {
      if (list.empty()) list.sleep();
      item* latest = list.take_all();
      require(latest != nullptr, "the receiver woke and found nothing");
      for (; latest != nullptr; latest = latest->next_arrival, --n) {
        require(latest->payload.get() == 7, "the receiver sees another payload than was sent");
        ++latest->received;
      }
    }
  }
  void each_came_once(int n) {
    for (int k = 0; k != n; ++k) require(items[k].received == 1, "an item came twice or never");
  }
};

constexpr auto with = model::on_fresh<fixture>;

std::vector<model::check> checks() {
  return {
      with("a sender, a receiver",
           [](fixture& f) {
             parallel({[&] { f.send(0); }, [&] { f.receive(1); }});
             f.each_came_once(1);
           }),
      with("a sender twice, a receiver that sleeps between",
           [](fixture& f) {
             parallel({[&] { f.send(0), f.send(1); }, [&] { f.receive(2); }});
             f.each_came_once(2);
           }),
      with("two senders, a receiver",
           [](fixture& f) {
             parallel({[&] { f.send(0); }, [&] { f.send(1); }, [&] { f.receive(2); }});
             f.each_came_once(2);
           }),
      with("two senders, of which one sends twice, a receiver",
           [](fixture& f) {
             parallel({[&] { f.send(0), f.send(2); }, [&] { f.send(1); }, [&] { f.receive(3); }});
             f.each_came_once(3);
           }),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("arrivals", checks());
  failures += model::mutation_table("arrivals.hpp", checks(), {});
  return failures == 0 ? 0 : 1;
}
