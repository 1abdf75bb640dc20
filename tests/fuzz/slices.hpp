#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pilotfish::fuzz {

/// Cuts an input into the pieces one read each would bring. Derived from the input alone, so that
/// inputs stay plain text and every run repeats.
class Slices {
 public:
  enum class Kind : std::uint8_t { kWhole, kSingle, kMixed };
  static constexpr Kind kAll[] = {Kind::kWhole, Kind::kSingle, Kind::kMixed};

  Slices(Kind kind, std::string_view text);

  /// The next piece of `text`; empty at the end.
  [[nodiscard]] std::string_view next();
  /// A number that depends on the whole input: for choices a target makes.
  [[nodiscard]] static std::uint64_t digest(std::string_view text);

 private:
  Kind kind_;
  std::string_view left_;
  std::uint64_t state_;
};

/// Stops the run with a message where `condition` does not hold.
void require(bool condition, const char* what, std::string_view detail = {});

}  // namespace pilotfish::fuzz
