#pragma once
// The loaded objects of a process (the executable and its shared libraries) find each other here, whatever their
// visibility, linker and compiler; and an object may ask to stay loaded.
//
// Each object has one `meeting_point`, a word of its own, and says where it is in an ELF note: a note is no symbol, so
// that -fvisibility=hidden, version scripts, an executable linked without -rdynamic, RTLD_LOCAL, --gc-sections, -flto
// and stripping leave it alone, and its content is a distance, so that it needs no relocation. The other ways fail
// somewhere: a weak symbol under hidden visibility; STB_GNU_UNIQUE in an executable without -rdynamic and under a
// version script (and it keeps every library that has one from being unloaded); a mapping with a name where /proc is
// missing, and it costs a parse of all mappings (1.2 ms with 200 libraries, where this costs 45 us); an environment
// variable in every program whose threads call getenv.
//
//     meet(candidate)                                      [all under the loader's lock]
//     M1  look at the meeting point of every object, in load order; if one holds something, that is the answer
//     M2  else compare-and-swap the candidate into the first of them; who loses takes what the winner put there
//     M3  copy the answer into one's own meeting point
// Where dl_iterate_phdr holds the loader's lock exclusively (glibc) the lock alone makes this one step. Where it does
// not (musl) nothing is ever unloaded and new objects are appended, so that the first object is the same one for all,
// and M2 decides. The answer lives as long as one object that has it: the object whose candidate wins pins itself.

#include <dlfcn.h>  // RTLD_LAZY, RTLD_NODELETE, RTLD_NOLOAD
#include <link.h>   // dl_iterate_phdr, dl_phdr_info, ElfW

#include <atomic>   // atomic
#include <cstddef>  // size_t
#include <cstdint>  // int64_t, uintptr_t
#include <cstring>  // memcmp, memcpy

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_SHARED_ABI, TARTAN_COLD

// Whether this code may end up in a shared library: code for an executable is compiled without PIC or with PIE.
#if defined(__PIC__) && !defined(__PIE__)
#define TARTAN_LIBRARY_CODE 1
#else
#define TARTAN_LIBRARY_CODE 0
#endif

#define TARTAN_QUOTE_(text) #text
#define TARTAN_QUOTE(text) TARTAN_QUOTE_(text)
#define TARTAN_NOTE_NAME "tartan " TARTAN_QUOTE(TARTAN_SHARED_ABI)
#define TARTAN_MEETING_POINT "tartan_meeting_point_" TARTAN_QUOTE(TARTAN_SHARED_ABI)

namespace tartan::inline TARTAN_SHARED_ABI::detail_shared {

using meeting_word = std::atomic<void*>;

/// This object's word, one for all of its parts whatever their flags. Written with release by `meet`, read with acquire
/// by `meet` in any object and by the owner's fast path.
[[gnu::visibility("hidden")]] inline constinit meeting_word meeting_point asm(TARTAN_MEETING_POINT){nullptr};

/// This object asked to stay loaded.
[[gnu::visibility("hidden")]] inline constinit std::atomic<bool> module_pinned{false};

}  // namespace tartan::inline TARTAN_SHARED_ABI::detail_shared

namespace tartan::inline TARTAN_ABI::detail {

/// Says in a note where this object's meeting point is. Each part of the object that calls it leaves a note of 32
/// bytes.
TARTAN_ALWAYS_INLINE void leave_note() noexcept {
#define TARTAN_NOTE(symbol)                    \
  ".pushsection .note.tartan, \"a\", %%note\n" \
  "  .balign 4\n"                              \
  "  .4byte 992f - 991f, 994f - 993f, 1\n"     \
  "991: .asciz \"" TARTAN_NOTE_NAME            \
  "\"\n"                                       \
  "992: .balign 4\n"                           \
  "993: .8byte " symbol                        \
  " - .\n"                                     \
  "994: .popsection\n"
#if defined(__code_model_large__)
  // No address is an immediate operand here. That the name is that of a variable which is kept is seen by the caller.
  asm volatile(TARTAN_NOTE(TARTAN_MEETING_POINT) : :);
#elif defined(__aarch64__)
  asm volatile(TARTAN_NOTE("%c0") : : "S"(&detail_shared::meeting_point));
#else
  asm volatile(TARTAN_NOTE("%c0") : : "i"(&detail_shared::meeting_point));
#endif
#undef TARTAN_NOTE
}

/// Calls `visit(meeting_word&)` for each of the object's notes until it returns true. Returns whether it did.
template <class Visit>
bool for_each_note(dl_phdr_info const& object, Visit&& visit) noexcept {
  constexpr char name[] = TARTAN_NOTE_NAME;
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    auto const& segment = object.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    std::size_t const mask = segment.p_align == 8 ? 7 : 3;
    auto const padded = [mask](std::size_t size) { return (size + mask) & ~mask; };
    auto const* at = reinterpret_cast<char const*>(object.dlpi_addr + segment.p_vaddr);
    for (std::size_t left = segment.p_memsz; left >= sizeof(ElfW(Nhdr));) {
      ElfW(Nhdr) header;
      std::memcpy(&header, at, sizeof header);
      std::size_t const description = sizeof header + padded(header.n_namesz);
      std::size_t const whole = description + padded(header.n_descsz);
      if (whole > padded(left)) break;
      std::int64_t distance = 0;
      if (header.n_namesz == sizeof name && header.n_descsz == sizeof distance &&
          std::memcmp(at + sizeof header, name, sizeof name) == 0) {
        std::memcpy(&distance, at + description, sizeof distance);
        auto const word = reinterpret_cast<std::uintptr_t>(at + description) + static_cast<std::uintptr_t>(distance);
        if (visit(*reinterpret_cast<detail_shared::meeting_word*>(word))) return true;
      }
      at += whole;
      left = whole < left ? left - whole : 0;
    }
  }
  return false;
}

/// Runs `action()` once while the loader's lock is held; no object is loaded or unloaded meanwhile. The action must
/// neither allocate nor call the loader, except for dl_iterate_phdr.
template <class Action>
void under_loader_lock(Action&& action) noexcept {
  auto const once = [](dl_phdr_info*, std::size_t, void* data) noexcept {
    (*static_cast<Action*>(data))();
    return 1;
  };
  ::dl_iterate_phdr(once, &action);
}

/// The first thing that any object of the process has put forward, which is `candidate` if there was none and it is not
/// null. From then on this object's meeting point holds it.
[[gnu::visibility("hidden")]] TARTAN_COLD inline void* meet(void* candidate) noexcept {
  using detail_shared::meeting_word;
  leave_note();
  struct {
    meeting_word* first = nullptr;
    void* answer = nullptr;
  } seen;
  auto const look = [](dl_phdr_info* object, std::size_t, void* data) noexcept {
    auto& out = *static_cast<decltype(seen)*>(data);
    bool const found = for_each_note(*object, [&out](meeting_word& word) {
      if (out.first == nullptr) out.first = &word;
      out.answer = word.load(std::memory_order_acquire);  // with the exchange below, of any object
      return out.answer != nullptr;
    });
    return found ? 1 : 0;
  };
  under_loader_lock([&] {
    ::dl_iterate_phdr(look, &seen);
    // acq_rel, and release: with the load above and with the first look of process_slots' users.
    if (seen.answer == nullptr && candidate != nullptr) {
      meeting_word& place = seen.first != nullptr ? *seen.first : detail_shared::meeting_point;
      if (place.compare_exchange_strong(seen.answer, candidate, std::memory_order_acq_rel)) seen.answer = candidate;
    }
    if (seen.answer != nullptr) detail_shared::meeting_point.store(seen.answer, std::memory_order_release);
  });
  return seen.answer;
}

#if TARTAN_LIBRARY_CODE
// Weak, without making the user's own references weak: a static executable may be without a loader.
[[maybe_unused, gnu::weakref("dlopen")]] static void* loader_open(char const* path, int mode);

/// For pin_this_module().
[[gnu::visibility("hidden")]] TARTAN_COLD inline void pin_it() noexcept {
  struct {
    std::uintptr_t address = reinterpret_cast<std::uintptr_t>(&detail_shared::module_pinned);
    char const* path = nullptr;
  } own;
  auto const look = [](dl_phdr_info* object, std::size_t, void* data) noexcept {
    auto& out = *static_cast<decltype(own)*>(data);
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      auto const& segment = object->dlpi_phdr[i];
      std::uintptr_t const begin = object->dlpi_addr + segment.p_vaddr;
      if (segment.p_type != PT_LOAD || out.address - begin >= segment.p_memsz) continue;
      out.path = object->dlpi_name;
      return 1;
    }
    return 0;
  };
  ::dl_iterate_phdr(look, &own);
  // An executable has no name here and is never unloaded.
  if (own.path != nullptr && *own.path != '\0' && &loader_open != nullptr)
    loader_open(own.path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  detail_shared::module_pinned.store(true, std::memory_order_relaxed);  // relaxed: as above
}

/// Keeps the object that contains this code loaded for ever, so that dlclose cannot unmap what its threads run.
///
/// Call it before the first thread, task or callback that outlives the call.
/// Blocking: takes the loader's lock the first time; must not be called by a thread that a library's initialiser waits
/// for.
TARTAN_ALWAYS_INLINE void pin_this_module() noexcept {
  if (!detail_shared::module_pinned.load(std::memory_order_relaxed))
      [[unlikely]]  // relaxed: who comes early pins again
    pin_it();
}
#else
/// An executable is never unloaded.
TARTAN_ALWAYS_INLINE void pin_this_module() noexcept {}
#endif

}  // namespace tartan::inline TARTAN_ABI::detail
