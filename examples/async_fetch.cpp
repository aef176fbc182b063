// Fetches pages from many servers at once by Asio while tartan's pool works on those that have come; or follows links
// from page to page, each page once, with a limit on the connections to one host. The servers are its own, local and
// slow on purpose.
//
// Shows: coroutines of tartan that await Asio's, when_all, an async_semaphore, master_worker whose tasks add tasks.
// Build: g++ -std=c++20 -O2 async_fetch.cpp $(pkg-config --cflags --libs tartan) -o async_fetch
//        (standalone Asio is headers only; Debian calls it libasio-dev)
// Run:   ./async_fetch [--gather | --crawl]    (default: both)
#if __has_include(<asio.hpp>)

#define ASIO_HAS_CO_AWAIT 1  // older versions of Asio do not know that this compiler has coroutines
#define ASIO_HAS_STD_COROUTINE 1

#include <tartan/tartan.hpp>

#include <asio.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr int hosts = 8, pages = 40;  // pages of each host
constexpr int most_at_once = 4;       // connections to one host

// ---- the servers: coroutines of Asio
// -----------------------------------------------------------------------------------

struct page {
  int host, number;
  auto operator<=>(page const&) const = default;
};

/// Numbers to add up, and links.
std::string text_of(page p) {
  std::string text;
  for (int i = 0; i != 2000; ++i) text += std::to_string((p.host + 3 * p.number + i) % 100) + '\n';
  for (int i = 1; i <= 3; ++i)
    text += "link " + std::to_string((p.host + i) % hosts) + ' ' + std::to_string((2 * p.number + i) % pages) + '\n';
  return text;
}

asio::awaitable<void> answer(tcp::socket client, int host) {
  std::string request;
  co_await asio::async_read_until(client, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
  asio::steady_timer slow(client.get_executor(), 2ms);
  co_await slow.async_wait(asio::use_awaitable);
  std::string const text = text_of({host, std::atoi(request.c_str() + 5)});  // "GET /17 ..."
  std::string const reply = "HTTP/1.0 200 OK\r\n\r\n" + text;
  co_await asio::async_write(client, asio::buffer(reply), asio::use_awaitable);
  client.shutdown(tcp::socket::shutdown_send);
}

asio::awaitable<void> serve(tcp::acceptor& door, int host) {
  for (;;) {
    tcp::socket client = co_await door.async_accept(asio::use_awaitable);
    asio::co_spawn(door.get_executor(), answer(std::move(client), host), asio::detached);
  }
}

// ---- the client: Asio does the I/O, tartan the rest
// --------------------------------------------------------------------

asio::awaitable<std::string> get(tcp::endpoint where, int number) {
  tcp::socket server(co_await asio::this_coro::executor);
  co_await server.async_connect(where, asio::use_awaitable);
  std::string const request = "GET /" + std::to_string(number) + " HTTP/1.0\r\n\r\n";
  co_await asio::async_write(server, asio::buffer(request), asio::use_awaitable);
  std::string reply;
  std::error_code error;
  co_await asio::async_read(server, asio::dynamic_buffer(reply), asio::redirect_error(asio::use_awaitable, error));
  if (error != asio::error::eof) throw std::system_error(error);
  co_return reply.substr(reply.find("\r\n\r\n") + 4);
}

/// All that is needed to await one library in the other.
template <class T>
tartan::future<T> as_future(asio::io_context& io, asio::awaitable<T> work) {
  tartan::promise<T> promise;
  auto future = promise.get_future();
  asio::co_spawn(io, std::move(work), [p = std::move(promise)](std::exception_ptr error, T value) mutable {
    error ? p.set_exception(error) : p.set_value(std::move(value));
  });
  return future;
}

struct network {
  asio::io_context io{1};
  std::deque<tcp::acceptor> doors;
  std::deque<tartan::async_semaphore> free_places;
  std::jthread thread;

  network() {
    for (int h = 0; h != hosts; ++h) {
      free_places.emplace_back(most_at_once);
      doors.emplace_back(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
      asio::co_spawn(io, serve(doors.back(), h), asio::detached);
    }
    thread = std::jthread([this] { io.run(); });
  }
  ~network() { io.stop(); }

  tartan::task<std::string> fetch(page p) {
    auto const h = static_cast<std::size_t>(p.host);
    auto const place = co_await free_places[h].acquire();
    co_return co_await as_future(io, get(doors[h].local_endpoint(), p.number));
  }
};

/// The work: the sum of the numbers of a page.
long crunch(std::string const& text) {
  long sum = 0;
  std::istringstream in(text);
  for (long x = 0; in >> x;) sum += x;
  return sum;
}

std::vector<page> links_of(std::string const& text) {
  std::vector<page> links;
  for (std::size_t at = text.find("link "); at != text.npos; at = text.find("link ", at + 1)) {
    page p{};
    if (std::sscanf(text.c_str() + at, "link %d %d", &p.host, &p.number) == 2) links.push_back(p);
  }
  return links;
}

// ---- as asyncio.gather
// ---------------------------------------------------------------------------------------------------

tartan::task<long> fetch_and_crunch(network& net, page p) {
  std::string const text = co_await tartan::with_timeout(net.fetch(p), 10s);
  co_return crunch(text);
}

tartan::task<long> gather(network& net) {
  co_await tartan::schedule(tartan::par);  // from here on the tasks go on in the pool, not on Asio's thread
  std::vector<tartan::task<long>> tasks;
  for (int h = 0; h != hosts; ++h)
    for (int n = 0; n != pages; ++n) tasks.push_back(fetch_and_crunch(net, {h, n}));
  long sum = 0;
  for (long s : co_await tartan::when_all(std::move(tasks))) sum += s;
  co_return sum;
}

bool check_gather(network& net) {
  long expected = 0;
  for (int h = 0; h != hosts; ++h)
    for (int n = 0; n != pages; ++n) expected += crunch(text_of({h, n}));
  auto const begin = std::chrono::steady_clock::now();
  long const sum = tartan::sync_wait(gather(net));
  std::printf("%d pages from %d servers in %.0f ms, sum %ld\n", hosts * pages, hosts,
              std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count(), sum);
  return sum == expected;
}

// ---- as a crawler
// --------------------------------------------------------------------------------------------------------

struct visited {
  std::mutex lock;
  std::set<page> known;
  bool add(page p) {
    std::scoped_lock const hold(lock);
    return known.insert(p).second;
  }
};

bool check_crawl(network& net) {
  page const start{0, 1};
  std::set<page> expected{start};
  for (std::vector<page> todo{start}; !todo.empty();) {
    page const p = todo.back();
    todo.pop_back();
    for (page const& l : links_of(text_of(p)))
      if (expected.insert(l).second) todo.push_back(l);
  }

  visited seen;
  seen.add(start);
  long sum = 0;
  std::size_t count = 0;
  tartan::master_worker(
      tartan::par.in_flight(hosts * most_at_once), std::vector{start},  // a task that waits lets another one in
      [&](page p, auto&& more) {
        std::string const text = tartan::sync_wait(net.fetch(p));
        for (page const& l : links_of(text))
          if (seen.add(l)) more(l);
        return crunch(text);
      },
      [&](long s) { sum += s, ++count; });
  std::printf("crawled %zu pages, sum %ld\n", count, sum);

  long expected_sum = 0;
  for (page const& p : expected) expected_sum += crunch(text_of(p));
  return seen.known == expected && count == expected.size() && sum == expected_sum;
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view const what = argc > 1 ? argv[1] : "";
  network net;
  bool good = true;
  if (what != "--crawl") good = check_gather(net) && good;
  if (what != "--gather") good = check_crawl(net) && good;
  return good ? 0 : 1;
}

#else

#include <cstdio>

int main() { std::puts("async_fetch needs standalone Asio: install libasio-dev, or put asio.hpp in the include path"); }

#endif
