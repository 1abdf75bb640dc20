#include "bench/lab/registry.hpp"

#include <array>
#include <fstream>
#include <iostream>
#include <poll.h>
#include <sstream>
#include <unistd.h>

#include "bench/harness/embedded_registry.hpp"
#include "bench/harness/sockets.hpp"
#include "bench/lab/interrupt.hpp"
#include "bench/lab/registry_words.hpp"

namespace pilotfish::bench {
namespace {

constexpr int kBadFile = 78;

/// What is wrong with the file, or nothing.
std::string read_file(const std::string& path, EmbeddedRegistry& registry) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return path + ": cannot be read";
  const auto wrong = registry.catalogue().with(
      [&](Catalogue& catalogue) { return load_catalogue(catalogue, text.str()); });
  return wrong.empty() ? wrong : path + ": " + wrong;
}

void obey_input(EmbeddedRegistry& registry) {
  std::string pending;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (!interrupted()) {
    if (::poll(&input, 1, 100) <= 0) continue;
    std::array<char, 4096> buffer{};
    const auto got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) {
      input.fd = -1;  // its end; poll() sleeps from now on
      continue;
    }
    pending.append(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      const auto reply = registry.catalogue().with([&](Catalogue& catalogue) {
        return obey(catalogue, std::string_view(pending).substr(0, end));
      });
      pending.erase(0, end + 1);
      if (!reply.empty()) std::cout << reply << std::endl;
    }
  }
}

}  // namespace

int run_registry(const RegistryOptions& options) {
  DnsServerOptions server;
  server.listen = loopback(options.port);
  server.zone.trim = options.silent_trim ? TrimStyle::kSilent : TrimStyle::kTruncate;
  EmbeddedRegistry registry(server);
  if (!options.file.empty()) {
    const auto wrong = read_file(options.file, registry);
    if (!wrong.empty()) {
      std::cerr << "pilotfish-lab: " << wrong << '\n';
      return kBadFile;
    }
  }
  std::cout << "DNS at " << registry.endpoint().to_string() << ", UDP and TCP" << std::endl;
  obey_input(registry);
  return 0;
}

}  // namespace pilotfish::bench
