#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace pilotfish::app {

/// JSON in one line, as boost::json::serialize() but for numbers with a fraction, which it writes
/// as `3.5E-1`: here `0.35`, in at most three decimals. Pure.
[[nodiscard]] std::string plain_json(const boost::json::value& value);

}  // namespace pilotfish::app
