#pragma once

#include <string>

#include "net/asio.hpp"
#include "registry/options.hpp"
#include "registry/verdict.hpp"

namespace pilotfish::registry {

struct Probed {
  Verdict verdict = Verdict::kPassing;
  std::string why;  ///< empty where it passes
};

/// Performs a check once, within its timeout. HTTP passes with 2xx and, as Consul has it, 429
/// (warning); TCP with a connection. What Consul would follow (3xx) or speak TLS to is only seen to
/// answer: kUnknown. Without a check, and with a TTL check (it says only that the sidecar lives),
/// it always passes.
net::Awaitable<Probed> probe(net::Executor executor, CheckOptions check);

}  // namespace pilotfish::registry
