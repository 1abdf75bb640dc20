#include "config/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "config/consul_environment.hpp"
#include "config/expand.hpp"
#include "config/tables.hpp"

namespace pilotfish::config {
namespace {

/// `srv:` and `hosts:` upstreams without servers of their own ask those of the top level.
void share_dns(RootOptions& options) {
  for (auto& upstream : options.upstreams) {
    if (auto* srv = std::get_if<resolver::SrvSource>(&upstream.source);
        srv != nullptr && srv->servers.empty()) {
      srv->servers = options.dns;
    }
    if (auto* hosts = std::get_if<resolver::HostsSource>(&upstream.source);
        hosts != nullptr && hosts->servers.empty()) {
      hosts->servers = options.dns;
    }
  }
}

RootOptions read_options(std::string_view text, const Environment& environment,
                         Findings& findings) {
  RootOptions options;
  auto root = parse_document(text, findings);
  if (!root) {
    return options;
  }
  expand_environment(*root, environment, findings);
  const Scope scope(findings);
  if (root_table().read(scope, *root, options) || root->kind == Node::Kind::kMap) {
    check_rules(scope, *root, options);
  }
  apply_consul_environment(environment, options.consul_http, findings);
  share_dns(options);
  return options;
}

}  // namespace

std::string Problem::to_string() const {
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + message;
}

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const auto* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Loaded load_text(std::string_view text, const std::string& file, const Environment& environment) {
  Findings findings;
  auto options = read_options(text, environment, findings);
  std::ranges::stable_sort(findings, {}, &SyntaxError::at);
  Loaded out;
  for (auto& finding : findings) {
    // A message may repeat a key, or what the parser could not read.
    out.problems.push_back({file, finding.at.line, finding.at.column, printable(finding.message)});
  }
  if (out.problems.empty()) {
    out.options = std::move(options);
  }
  return out;
}

Loaded load_file(const std::string& path, const Environment& environment) {
  std::string text;
  const auto fail = [&path](const char* doing) {
    const std::string why = std::strerror(errno);
    return Loaded{{}, {{path, 1, 1, std::string("cannot ") + doing + " the file: " + why}}};
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) {
    return fail("open");
  }
  constexpr std::size_t kEnough = 2UL * 1024 * 1024;  // more than load_text accepts
  std::array<char, 16384> buffer{};
  while (text.size() < kEnough) {
    const auto count = std::fread(buffer.data(), 1, buffer.size(), file.get());
    text.append(buffer.data(), count);
    if (count < buffer.size()) {
      break;
    }
  }
  if (std::ferror(file.get()) != 0) {
    return fail("read");
  }
  return load_text(text, path, environment);
}

}  // namespace pilotfish::config
