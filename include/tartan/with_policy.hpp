#pragma once
// The policy by a name that is known at run time only, as of a command line.

#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // invoke_result_t, is_void_v
#include <utility>      // forward

#include "tartan/core/errors.hpp"  // bad_argument, raise
#include "tartan/exec/policy.hpp"  // execution_policy, policy

namespace tartan::inline TARTAN_ABI {

// Named here, defined where their headers are included: what is complete is compiled in.
struct sequential_backend;
struct threads_backend;
struct processes_backend;
struct simd_leaf;

namespace detail {

/// Whether T is defined where F is first used.
template <class T, class F>
inline constexpr bool defined_for = requires { sizeof(T); };

/// The name of a policy: that of its backend, with the leaf; one thread with packs is simply simd.
template <class P>
std::string policy_name() {
  std::string name(P::backend_type::name);
  if constexpr (P::leaf_type::vector) return name == "seq" ? "simd" : name + "_simd";
  return name;
}

/// Looks for a name among policies, one after the other.
template <class F>
class policy_choice {
 public:
  policy_choice(std::string_view name, F& f) noexcept : name_(name), f_(f) {}

  template <class First, class... More>
  std::invoke_result_t<F&, First const&> among(First const& first, More const&... more) {
    static_assert((std::same_as<std::invoke_result_t<F&, First const&>, std::invoke_result_t<F&, More const&>> && ...),
                  "tartan: with_policy: f must return the same type for every policy");
    if (policy_name<First>() == name_) return f_(first);
    known_ += (known_.empty() ? "" : ", ") + policy_name<First>();
    if constexpr (sizeof...(More) != 0)
      return among(more...);
    else
      raise<bad_argument>("tartan: there is no policy \"" + std::string(name_) +
                          "\" in this program; choose one of: " + known_);
  }

 private:
  std::string_view name_;
  F& f_;
  std::string known_;
};

/// A policy that may be missing.
template <class Backend, class Leaf>
struct candidate {};

template <class F, class Found, class... Candidates>
struct compiled_in;
template <class F, class... Found>
struct compiled_in<F, void(Found...)> {
  static decltype(auto) choose(policy_choice<F>& choice) {
    static_assert(sizeof...(Found) != 0,
                  "tartan: with_policy needs a policy to choose from: include <tartan/policies.hpp>");
    if constexpr (sizeof...(Found) != 0) return choice.among(Found{}...);
  }
};
template <class F, class... Found, class Backend, class Leaf, class... Candidates>
struct compiled_in<F, void(Found...), candidate<Backend, Leaf>, Candidates...>
    : compiled_in<F, void(Found...), Candidates...> {};
template <class F, class... Found, class Backend, class Leaf, class... Candidates>
  requires(defined_for<Backend, F> && defined_for<Leaf, F>)
struct compiled_in<F, void(Found...), candidate<Backend, Leaf>, Candidates...>
    : compiled_in<F, void(Found..., policy<Backend, Leaf>), Candidates...> {};

template <class F>
using every_policy = compiled_in<F, void(), candidate<sequential_backend, scalar_leaf>,
                                 candidate<sequential_backend, simd_leaf>, candidate<threads_backend, scalar_leaf>,
                                 candidate<threads_backend, simd_leaf>, candidate<processes_backend, scalar_leaf>>;

}  // namespace detail

/// Calls f(policy) with the policy of that name and returns what f returns.
///
///     tartan::with_policy(argv[1], [&](auto policy) { render(policy, scene); });
///
/// @param name  One of seq, simd, par, par_simd, processes: those whose headers were included before.
/// @param f     A generic callable; compiled for each of them, with the same result type.
///
/// Exceptions: bad_argument with the list of names for an unknown one; what f throws.
template <class F>
decltype(auto) with_policy(std::string_view name, F&& f) {
  detail::policy_choice<std::remove_reference_t<F>> choice(name, f);
  return detail::every_policy<std::remove_reference_t<F>>::choose(choice);
}

/// The same among the given policies only, for functions that do not suit all, and for policies with properties.
///
///     tartan::with_policy(argv[1], work, tartan::seq, tartan::par.workers(4));
template <class F, execution_policy... P>
  requires(sizeof...(P) != 0)
decltype(auto) with_policy(std::string_view name, F&& f, P const&... policies) {
  return detail::policy_choice<std::remove_reference_t<F>>(name, f).among(policies...);
}

}  // namespace tartan::inline TARTAN_ABI
