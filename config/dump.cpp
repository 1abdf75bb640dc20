#include "config/load.hpp"
#include "config/tables.hpp"

namespace pilotfish::config {

std::string dump(const RootOptions& options) {
  std::string out = print_document(root_table().write(options));
  if (!options.consul_http.token.empty()) {
    // No key of the file: a comment, so that what is dumped can be loaded.
    out += "# consul: a token is set by the environment: <redacted>\n";
  }
  return out;
}

}  // namespace pilotfish::config
