#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/head.hpp"

namespace pilotfish::http {

/// Names in any case, to be asked for again and again: n of them cost n log n comparisons of
/// numbers to sort and log n to ask, whatever they look like, so that no head costs more than its
/// bytes. Views into the text they were added from. The first few take no memory of their own.
/// Thread-safety: none.
class NameSet {
 public:
  void add(std::string_view name);
  /// The elements of a comma-separated list.
  void add_list(std::string_view list);
  /// To be called between the last add() and the first contains().
  void seal();
  [[nodiscard]] bool contains(std::string_view name) const;
  [[nodiscard]] bool empty() const { return count_ == 0; }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::string_view name;
  };
  static constexpr std::size_t kFew = 8;

  std::size_t count_ = 0;
  std::array<Entry, kFew> few_{};
  std::vector<Entry> many_;  ///< all of them, where they are more than a few
};

/// Tells which fields of one message end at this hop: RFC 9110 section 7.6.1. Framing fields,
/// routing and what we vouch for stay, whatever `Connection` says of them.
class HopByHop {
 public:
  explicit HopByHop(const Head& head);
  /// For the trailers of a message whose names() were kept.
  explicit HopByHop(std::string_view names);

  [[nodiscard]] bool ends_here(const Field& field) const;

  /// The names that `Connection` has beyond those that end here anyway, as one list: for when the
  /// head itself is gone. Appends to `out`.
  static void names(const Head& head, std::string& out);

 private:
  NameSet named_;
};

/// Whether a 101 switches to protocols of which each was offered with the request, as it was sent
/// on (RFC 9110 section 7.8).
[[nodiscard]] bool was_offered(const RequestHead& request, const ResponseHead& answer);

}  // namespace pilotfish::http
