#include "config/differences.hpp"

#include <algorithm>

#include "config/tables.hpp"

namespace pilotfish::config {
namespace {

bool same(const Node& a, const Node& b);

bool same_entry(const Entry& a, const Entry& b) {
  return a.key == b.key && same(a.value, b.value);
}

bool same(const Node& a, const Node& b) {
  return a.kind == b.kind && a.text == b.text &&
         std::ranges::equal(a.items, b.items,
                            [](const Node& x, const Node& y) { return same(x, y); }) &&
         std::ranges::equal(a.entries, b.entries, same_entry);
}

void collect(const std::string& path, const Node& a, const Node& b, std::vector<std::string>& out) {
  if (a.kind != Node::Kind::kMap || b.kind != Node::Kind::kMap) {
    if (!same(a, b)) {
      out.push_back(path);
    }
    return;
  }
  const std::string prefix = path.empty() ? "" : path + ".";
  for (const auto& entry : a.entries) {
    if (const auto* other = b.find(entry.key)) {
      collect(prefix + entry.key, entry.value, *other, out);
    } else {
      out.push_back(prefix + entry.key);
    }
  }
  for (const auto& entry : b.entries) {
    if (a.find(entry.key) == nullptr) {
      out.push_back(prefix + entry.key);
    }
  }
}

}  // namespace

std::vector<std::string> differences(const RootOptions& a, const RootOptions& b) {
  std::vector<std::string> out;
  const auto table = root_table();
  collect("", table.write(a), table.write(b), out);
  if (a.consul_http.token != b.consul_http.token) {
    out.emplace_back("consul.token");
  }
  return out;
}

}  // namespace pilotfish::config
