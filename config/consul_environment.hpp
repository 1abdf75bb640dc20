#pragma once

#include "config/load.hpp"
#include "config/scope.hpp"

namespace pilotfish::config {

/// CONSUL_HTTP_ADDR (HOST:PORT, http://, unix://) replaces `consul.http`; the token is the content
/// of CONSUL_HTTP_TOKEN_FILE, else CONSUL_HTTP_TOKEN (as Consul's own tools have it). Empty
/// variables count as unset. What is wrong is reported at 1:1 under the variable's name.
void apply_consul_environment(const Environment& environment, registry::ConsulHttp& consul,
                              Findings& findings);

}  // namespace pilotfish::config
