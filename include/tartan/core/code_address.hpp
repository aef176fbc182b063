#pragma once
// Addresses of functions as module and offset: valid in every process of one program, wherever its address space was
// laid out, and for libraries that a worker has not opened yet.

#include <dlfcn.h>  // dladdr1, dlerror, dlinfo, dlopen
#include <link.h>   // dl_iterate_phdr, link_map

#include <cstdint>      // uint64_t, uintptr_t
#include <cstdlib>      // free, realpath
#include <map>          // map
#include <mutex>        // mutex, scoped_lock
#include <string>       // string
#include <type_traits>  // is_function_v

#include "tartan/core/codec.hpp"     // codec
#include "tartan/core/config.hpp"    // TARTAN_ABI
#include "tartan/core/frame.hpp"     // frame_reader, frame_writer
#include "tartan/core/shipping.hpp"  // not_shippable

namespace tartan::inline TARTAN_ABI::detail {

/// Where a function is: the file of its module, empty for the program itself, and the offset from its load address.
struct code_address {
  std::string module;
  std::uint64_t offset = 0;
};

/// The memory that a loaded module covers.
struct module_range {
  std::uintptr_t base = 0;
  std::uintptr_t low = 0;
  std::uintptr_t high = 0;

  [[nodiscard]] bool covers(std::uintptr_t at) const noexcept { return at >= low && at < high; }
};

// The executable segments only: an offset outside of them is no function.
inline module_range code_range(dl_phdr_info const& info) noexcept {
  module_range range{info.dlpi_addr, UINTPTR_MAX, 0};
  for (int i = 0; i != info.dlpi_phnum; ++i) {
    auto const& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    auto const begin = info.dlpi_addr + segment.p_vaddr;
    if (begin < range.low) range.low = begin;
    if (begin + segment.p_memsz > range.high) range.high = begin + segment.p_memsz;
  }
  return range;
}

/// The program itself: dl_iterate_phdr names it first.
inline module_range const& program_range() {
  static module_range const range = [] {
    module_range found;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* to) {
          *static_cast<module_range*>(to) = code_range(*info);
          return 1;
        },
        &found);
    return found;
  }();
  return range;
}

/// Files of libraries by the name under which the loader knows them, which may be relative to a folder left since.
inline std::string library_file(char const* loader_name) {
  static std::mutex guard;
  static std::map<std::string, std::string> files;
  std::scoped_lock const lock(guard);
  auto const [at, fresh] = files.try_emplace(loader_name);
  if (fresh) {
    char* const absolute = ::realpath(loader_name, nullptr);
    at->second = absolute != nullptr ? absolute : loader_name;
    std::free(absolute);
  }
  return at->second;
}

inline code_address code_address_of(void const* function) {
  auto const at = reinterpret_cast<std::uintptr_t>(function);
  auto const& program = program_range();
  if (program.covers(at)) return {{}, at - program.base};
  Dl_info info{};
  link_map* module = nullptr;
  if (::dladdr1(function, &info, reinterpret_cast<void**>(&module), RTLD_DL_LINKMAP) == 0 || module == nullptr)
    raise<not_shippable>(
        "tartan: a function that belongs to no loaded file (generated at run time?) cannot be called in another "
        "process");
  return {library_file(info.dli_fname), at - module->l_addr};
}

/// Opens the module if this process has not done so.
inline link_map* open_module(std::string const& file) {
  static std::mutex guard;
  static std::map<std::string, link_map*> modules;
  std::scoped_lock const lock(guard);
  auto const known = modules.find(file);
  if (known != modules.end()) return known->second;
  void* const handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  link_map* module = nullptr;
  if (handle == nullptr || ::dlinfo(handle, RTLD_DI_LINKMAP, &module) != 0) {
    char const* const why = ::dlerror();
    raise<not_shippable>("tartan: a worker could not open " + file +
                         ", which holds the function to call: " + (why != nullptr ? why : "unknown error"));
  }
  modules.emplace(file, module);
  return module;
}

inline module_range range_of(link_map const& module) {
  struct search {
    std::uintptr_t base;
    module_range found;
  } looking{module.l_addr, {}};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        auto& s = *static_cast<search*>(to);
        if (info->dlpi_addr != s.base) return 0;
        s.found = code_range(*info);
        return 1;
      },
      &looking);
  return looking.found;
}

inline void* resolve_code(code_address const& code) {
  auto const range = code.module.empty() ? program_range() : range_of(*open_module(code.module));
  auto const at = range.base + static_cast<std::uintptr_t>(code.offset);
  if (!range.covers(at))
    raise<bad_frame>("tartan: the address of a function lies outside of its module; it was overwritten");
  return reinterpret_cast<void*>(at);
}

template <class Function>
struct function_codec {
  static std::size_t size(Function* f) { return codec<code_address>::size(address(f)); }
  static void write(frame_writer& out, Function* f) { codec<code_address>::write(out, address(f)); }
  static Function* read(frame_reader& in) {
    return reinterpret_cast<Function*>(resolve_code(codec<code_address>::read(in)));
  }

 private:
  static code_address address(Function* f) {
    if (f == nullptr) raise<not_shippable>("tartan: a null function pointer cannot be called in another process");
    return code_address_of(reinterpret_cast<void const*>(f));
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail

namespace tartan::inline TARTAN_ABI {

template <class R, class... Args>
struct codec<R (*)(Args...)> : detail::function_codec<R(Args...)> {};

template <class R, class... Args>
struct codec<R (*)(Args...) noexcept> : detail::function_codec<R(Args...) noexcept> {};

}  // namespace tartan::inline TARTAN_ABI
