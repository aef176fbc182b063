#pragma once
// Exceptions that travel: standard types, and tartan's own, arrive as themselves; others as remote_error.

#include <cxxabi.h>  // __cxa_current_exception_type, __cxa_demangle

#include <cstdint>       // uint8_t
#include <cstdlib>       // free
#include <exception>     // exception, exception_ptr, make_exception_ptr
#include <functional>    // bad_function_call
#include <iterator>      // size
#include <memory>        // unique_ptr
#include <new>           // bad_alloc, bad_array_new_length
#include <optional>      // bad_optional_access
#include <stdexcept>     // out_of_range, ...
#include <string>        // string
#include <system_error>  // error_category, system_error
#include <typeinfo>      // bad_cast, bad_typeid, type_info
#include <variant>       // bad_variant_access

#include "tartan/core/codec.hpp"          // codec
#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"         // bad_argument, cancelled, error
#include "tartan/core/shipping.hpp"       // not_shippable
#include "tartan/ipc/process_errors.hpp"  // manager_gone, remote_error
#include "tartan/ipc/robust.hpp"          // owner_died
#include "tartan/ipc/segment.hpp"         // out_of_shared_memory

namespace tartan::inline TARTAN_ABI::detail {

/// An exception in transit. `known` is the place of its type in the table below, or not_known.
struct shipped_exception {
  static constexpr std::uint8_t not_known = 255;
  std::uint8_t known = not_known;
  int code = 0;      ///< of system_error
  std::string type;  ///< name of the type; of system_error the name of the category
  std::string what;
};

#if TARTAN_EXCEPTIONS && defined(__cpp_rtti)

/// One type that arrives as itself.
struct known_exception {
  std::type_info const* type;
  std::exception_ptr (*make)(std::string const& what);
};

template <class E>
constexpr known_exception known_with_text() {
  return {&typeid(E), [](std::string const& what) { return std::make_exception_ptr(E(what)); }};
}

template <class E>
constexpr known_exception known_without_text() {
  return {&typeid(E), [](std::string const&) { return std::make_exception_ptr(E()); }};
}

inline known_exception const* known_exceptions(std::size_t& count) noexcept {
  static known_exception const table[] = {
      known_with_text<std::runtime_error>(),
      known_with_text<std::logic_error>(),
      known_with_text<std::invalid_argument>(),
      known_with_text<std::domain_error>(),
      known_with_text<std::length_error>(),
      known_with_text<std::out_of_range>(),
      known_with_text<std::range_error>(),
      known_with_text<std::overflow_error>(),
      known_with_text<std::underflow_error>(),
      known_without_text<std::bad_alloc>(),
      known_without_text<std::bad_array_new_length>(),
      known_without_text<std::bad_cast>(),
      known_without_text<std::bad_typeid>(),
      known_without_text<std::bad_function_call>(),
      known_without_text<std::bad_optional_access>(),
      known_without_text<std::bad_variant_access>(),
      known_without_text<std::bad_exception>(),
      known_without_text<cancelled>(),
      known_without_text<owner_died>(),
      known_without_text<manager_gone>(),
      known_with_text<bad_argument>(),
      known_with_text<bad_frame>(),
      known_with_text<not_shippable>(),
      known_with_text<out_of_shared_memory>(),
      known_with_text<error>(),
      known_with_text<process_start_error>(),
      known_without_text<pool_closed>(),
      known_without_text<pool_gone>(),
  };
  count = std::size(table);
  return table;
}

inline std::string demangled(std::type_info const& type) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> const name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                    &std::free);
  return status == 0 ? name.get() : type.name();
}

inline std::error_category const* category_named(std::string const& name) noexcept {
  for (auto const* c : {&std::generic_category(), &std::system_category()})
    if (name == c->name()) return c;
  return nullptr;
}

/// Describes the exception that is being handled; nothing is copied but its texts.
inline shipped_exception describe_current_exception() {
  std::type_info const* const type = abi::__cxa_current_exception_type();
  shipped_exception e;
  e.type = type != nullptr ? demangled(*type) : "an unknown type";
  try {
    throw;
  } catch (std::system_error const& s) {
    e.what = s.what();
    if (*type == typeid(std::system_error) && category_named(s.code().category().name()) != nullptr) {
      e.code = s.code().value();
      e.type = s.code().category().name();
      e.known = shipped_exception::not_known - 1;
    }
  } catch (std::exception const& s) {
    e.what = s.what();
    std::size_t count = 0;
    auto const* const table = known_exceptions(count);
    for (std::size_t i = 0; i != count; ++i)
      if (*table[i].type == *type) e.known = static_cast<std::uint8_t>(i);
  } catch (...) {
    e.what = "an object that is not derived from std::exception";
  }
  return e;
}

// The library appends ": " and the code's message to the text; it must not be there twice.
inline std::system_error remade_system_error(shipped_exception const& e, std::error_category const& category) {
  std::error_code const code(e.code, category);
  auto text = e.what;
  auto const tail = code.message();
  if (text == tail) return std::system_error(code);
  if (text.ends_with(": " + tail)) text.resize(text.size() - tail.size() - 2);
  return std::system_error(code, text);
}

inline std::exception_ptr remake_exception(shipped_exception const& e) {
  std::size_t count = 0;
  auto const* const table = known_exceptions(count);
  if (e.known < count) return table[e.known].make(e.what);
  if (e.known == shipped_exception::not_known - 1)
    if (auto const* const category = category_named(e.type))
      return std::make_exception_ptr(remade_system_error(e, *category));
  return std::make_exception_ptr(remote_error(e.type, e.what));
}

#else

inline shipped_exception describe_current_exception() { return {}; }
inline std::exception_ptr remake_exception(shipped_exception const&) { return nullptr; }

#endif

}  // namespace tartan::inline TARTAN_ABI::detail
