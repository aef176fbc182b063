#pragma once
// Types that cereal can serialize travel to worker processes too. Include it beside <tartan/processes.hpp>, before such
// a type is first sent; without cereal (or without exceptions, which it needs) this header is empty.

#include "tartan/core/codec.hpp"     // codec, frame_reader, frame_writer
#include "tartan/core/config.hpp"    // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/shipping.hpp"  // enable_shipping, form_of_class, free_archive, member_archive, travels

#if __has_include(<cereal/cereal.hpp>) && TARTAN_EXCEPTIONS && defined(__cpp_rtti)
#define TARTAN_CEREAL 1

#include <cereal/cereal.hpp>  // BinaryData, InputArchive, NameValuePair, OutputArchive, SizeTag

#include <cstddef>      // size_t
#include <type_traits>  // enable_if_t, is_arithmetic_v, is_class_v

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Counts the bytes that cereal_writer will write.
class cereal_counter : public cereal::OutputArchive<cereal_counter, cereal::AllowEmptyClassElision> {
 public:
  cereal_counter() : OutputArchive(this) {}
  void saveBinary(void const*, std::size_t n) noexcept { total_ += n; }
  [[nodiscard]] std::size_t total() const noexcept { return total_; }

 private:
  std::size_t total_ = 1;  // every encoding takes at least one byte
};

class cereal_writer : public cereal::OutputArchive<cereal_writer, cereal::AllowEmptyClassElision> {
 public:
  explicit cereal_writer(frame_writer& out) : OutputArchive(this), out_(out) { out_.raw(std::byte{}); }
  void saveBinary(void const* from, std::size_t n) { out_.bytes(from, n); }

 private:
  frame_writer& out_;
};

/// Throws bad_frame where the bytes are fewer than the type asks for.
class cereal_reader : public cereal::InputArchive<cereal_reader, cereal::AllowEmptyClassElision> {
 public:
  explicit cereal_reader(frame_reader& in) : InputArchive(this), in_(in) { in_.take(1); }
  void loadBinary(void* to, std::size_t n) {
    auto const* const from = in_.take(n);
    if (n != 0) std::memcpy(to, from, n);
  }

 private:
  frame_reader& in_;
};

template <class A>
concept cereal_output = std::is_same_v<A, cereal_counter> || std::is_same_v<A, cereal_writer>;
template <class A>
concept cereal_archive = cereal_output<A> || std::is_same_v<A, cereal_reader>;

// What cereal asks of an archive; found by the archive's namespace.
template <cereal_output Archive, class T>
std::enable_if_t<std::is_arithmetic_v<T>> save(Archive& archive, T const& value) {
  archive.saveBinary(&value, sizeof value);
}
template <class T>
std::enable_if_t<std::is_arithmetic_v<T>> load(cereal_reader& archive, T& value) {
  archive.loadBinary(&value, sizeof value);
}
template <cereal_archive Archive, class T>
void serialize(Archive& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}
template <cereal_archive Archive, class T>
void serialize(Archive& archive, cereal::SizeTag<T>& size) {
  archive(size.size);
}
template <cereal_output Archive, class T>
void save(Archive& archive, cereal::BinaryData<T> const& data) {
  archive.saveBinary(data.data, static_cast<std::size_t>(data.size));
}
template <class T>
void load(cereal_reader& archive, cereal::BinaryData<T>& data) {
  archive.loadBinary(data.data, static_cast<std::size_t>(data.size));
}

/// Classes that tartan does not know by themselves (containers, pairs, aggregates, ... it encodes faster) or that bring
/// a serialize(), as far as cereal can take them.
template <class T>
concept by_cereal =
    std::is_class_v<T> && !enable_shipping<T> &&
    (member_archive<T> || free_archive<T> || !travels(form_of_class<T>())) &&
    cereal::traits::is_output_serializable<T, cereal_counter>::value &&
    cereal::traits::is_output_serializable<T, cereal_writer>::value &&
    cereal::traits::is_input_serializable<T, cereal_reader>::value && std::is_default_constructible_v<T>;

}  // namespace detail

/// Types with a cereal function (serialize, save and load, in the class or beside it, with versions or names), and
/// those of <cereal/types/...>: smart pointers, bitsets, and so on.
///
///     #include <tartan/cereal.hpp>
///     struct person { std::string name; template <class A> void serialize(A& a) { a(CEREAL_NVP(name)); } };
///     auto ages = tartan::map(tartan::processes, people, [](person const& p) { return age_of(p); });
template <detail::by_cereal T>
struct codec<T> {
  static std::size_t size(T const& value) {
    detail::cereal_counter archive;
    archive(value);
    return archive.total();
  }
  static void write(frame_writer& out, T const& value) {
    detail::cereal_writer archive(out);
    archive(value);
  }
  static T read(frame_reader& in) {
    T value{};
    detail::cereal_reader archive(in);
    archive(value);
    return value;
  }
};

}  // namespace tartan::inline TARTAN_ABI

CEREAL_SETUP_ARCHIVE_TRAITS(tartan::detail::cereal_reader, tartan::detail::cereal_writer)

#endif
