#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pilotfish::registry {

inline constexpr std::size_t kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonSize = std::size_t{16} * 1024 * 1024;

/// Parses what a registry sent. Nothing where it is not JSON (trailing blanks and line ends are
/// fine), is nested deeper than 32, or is larger than `max_size`. Pure; does not throw.
std::optional<boost::json::value> parse_json(std::string_view text,
                                             std::size_t max_size = kMaxJsonSize);

/// Field access that never throws: an absent field, or one of another type, reads as null or "".
const boost::json::value* member(const boost::json::value& object, std::string_view key);
std::string_view text_of(const boost::json::value& object, std::string_view key);

/// A number, or a number in a string (how the JSON gateway of etcd writes 64-bit ones). Fractions
/// are cut; nothing where it is neither or does not fit.
std::optional<std::int64_t> number_of(const boost::json::value& object, std::string_view key);

}  // namespace pilotfish::registry
