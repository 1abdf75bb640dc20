#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/endpoint.hpp"

namespace pilotfish::bench {

struct WrongTemplate : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Replaces `{name}` by the variable of that name; every variable that is an address also has
/// `{name_host}` and `{name_port}`. A line with `{instance}`, `{instance_host}`, `{instance_port}`
/// or `{instance_number}` (from 1) is repeated for each instance. Braces around anything but a word
/// of lower-case letters and underscores are left alone. Throws WrongTemplate where a word is
/// unknown, with the known ones. Pure.
[[nodiscard]] std::string expand(std::string_view text,
                                 const std::map<std::string, std::string>& variables,
                                 const std::vector<Endpoint>& instances = {});

/// Adds `name`, `name_host` and `name_port`.
void add_address(std::map<std::string, std::string>& variables, const std::string& name,
                 const Endpoint& endpoint);

}  // namespace pilotfish::bench
