#include "tartan/core/handover.hpp"

#include "support/catch.hpp"
#include "tartan/core/join.hpp"
#include "tartan/core/pool.hpp"

namespace detail = tartan::detail;
using detail::job;
using detail::worker;

namespace {

void runs_nothing(job*, worker&) {}

/// A giver with two jobs, and one who goes while he is offered something.
struct offer_to_one_who_goes {
  offer_to_one_who_goes() {
    CHECK(handovers.linger(gone) == nullptr);  // known as one who stands there
    giver.tasks.push(&older);
    giver.tasks.push(&newer);
  }
  [[nodiscard]] bool give() {
    gone.box.open();
    return handovers.give(giver, [&](worker const& to) {
      CHECK(&to == &gone);
      return gone.box.close() == nullptr;
    });
  }

  detail::pool home{2};  // starts no thread
  worker giver{home, 0, false, home.asymmetric()}, gone{home, 1, false, home.asymmetric()};
  detail::handing_over handovers;
  job older{&runs_nothing}, newer{&runs_nothing};
};

}  // namespace

TEST_CASE("what is offered to one who has gone lies where others find it") {
  offer_to_one_who_goes f;
  CHECK_FALSE(f.give());
  CHECK(f.older.join.runner() == nullptr);
  CHECK_FALSE(f.giver.tasks.seems_empty());  // the newer one
  CHECK(f.giver.tasks.aside().take([] { return false; }) == nullptr);
  CHECK(f.giver.tasks.aside().take([] { return true; }) == &f.older);
  CHECK(f.giver.tasks.take_back());
  CHECK(f.giver.tasks.offers_nothing());
  CHECK_FALSE(f.giver.tasks.aside().take_back(&f.older));
}

TEST_CASE("nothing more is offered while something lies aside, and its forker takes it back") {
  offer_to_one_who_goes f;
  CHECK_FALSE(f.give());
  CHECK_FALSE(f.give());
  CHECK(f.giver.tasks.take_back());                     // the newer one
  CHECK_FALSE(detail::await_stolen(f.giver, f.older));  // to be run by the forker
  CHECK(f.giver.tasks.offers_nothing());
}
