#include <algorithm>
#include <cctype>
#include <fmt/core.h>
#include <numeric>

#include "bench/report/plots.hpp"

namespace pilotfish::bench {
namespace {

constexpr const char* kFailed = "failed";

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// `what` names the instance: `#1` is not in `#12 killed`.
bool names(const std::string& what, const std::string& instance) {
  for (std::size_t at = what.find(instance); !instance.empty() && at != std::string::npos;
       at = what.find(instance, at + 1)) {
    const std::size_t end = at + instance.size();
    const bool begins = at == 0 || !is_word(what[at - 1]) || !is_word(instance.front());
    if (begins && (end == what.size() || !is_word(what[end]))) return true;
  }
  return false;
}

std::uint64_t sum(const std::vector<std::uint32_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::vector<std::uint64_t> join(const std::vector<std::uint32_t>& counts, std::size_t factor) {
  std::vector<std::uint64_t> joined((counts.size() + factor - 1) / factor);
  for (std::size_t i = 0; i < counts.size(); ++i) joined[i / factor] += counts[i];
  return joined;
}

/// The instances that are drawn by themselves, in the order of their names.
std::vector<std::string> chosen(const Timeline& timeline, std::size_t count) {
  struct Candidate {
    bool named = false;
    std::uint64_t total = 0;
    std::string name;
  };
  std::vector<Candidate> candidates;
  for (const auto& [name, counts] : timeline.requests) {
    if (name == kFailed) continue;
    const bool named = std::ranges::any_of(
        timeline.events, [&name = name](const auto& event) { return names(event.what, name); });
    candidates.push_back({named, sum(counts), name});
  }
  std::ranges::sort(candidates, [](const auto& a, const auto& b) {
    if (a.named != b.named) return a.named;
    return a.total != b.total ? a.total > b.total : natural_less(a.name, b.name);
  });
  if (candidates.size() > count) candidates.resize(count);
  std::vector<std::string> names_left;
  for (auto& each : candidates) names_left.push_back(std::move(each.name));
  std::ranges::sort(names_left, natural_less);
  return names_left;
}

void add_others(Others& view, const std::vector<std::vector<std::uint64_t>>& others,
                double per_second) {
  view.count = others.size();
  if (others.empty()) return;
  std::vector<std::uint64_t> column(others.size());
  for (std::size_t bucket = 0; bucket < others.front().size(); ++bucket) {
    std::ranges::transform(others, column.begin(), [bucket](const auto& counts) {
      return bucket < counts.size() ? counts[bucket] : 0;
    });
    std::ranges::sort(column);
    view.low.push_back(static_cast<double>(column.front()) * per_second);
    view.middle.push_back(static_cast<double>(column[column.size() / 2]) * per_second);
    view.high.push_back(static_cast<double>(column.back()) * per_second);
  }
}

}  // namespace

bool natural_less(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (!digit(a[i]) || !digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
      continue;
    }
    const auto number = [&digit](const std::string& text, std::size_t& at) {
      while (at < text.size() && text[at] == '0') ++at;
      const std::size_t from = at;
      while (at < text.size() && digit(text[at])) ++at;
      return text.substr(from, at - from);
    };
    const auto left = number(a, i);
    const auto right = number(b, j);
    if (left.size() != right.size()) return left.size() < right.size();
    if (left != right) return left < right;
  }
  if ((i < a.size()) != (j < b.size())) return j < b.size();
  return a < b;  // equal as numbers: `01` and `1` still have an order
}

TimelineView view_of(const Timeline& timeline, std::size_t instances, std::size_t buckets) {
  std::size_t length = 0;
  for (const auto& [name, counts] : timeline.requests) length = std::max(length, counts.size());
  const std::size_t factor = std::max<std::size_t>(1, (length + buckets - 1) / buckets);
  TimelineView view;
  view.bucket_ms = timeline.bucket_ms * static_cast<double>(factor);
  const double per_second = 1000 / view.bucket_ms;
  const auto picked = chosen(timeline, instances);
  std::vector<std::vector<std::uint64_t>> others;
  for (const auto& [name, counts] : timeline.requests) {
    if (name == kFailed || std::ranges::find(picked, name) != picked.end()) continue;
    others.push_back(join(counts, factor));
    view.others.total += sum(counts);
  }
  add_others(view.others, others, per_second);
  for (std::size_t i = 0; i < picked.size(); ++i) {
    const auto& counts = timeline.requests.at(picked[i]);
    Layer layer{picked[i], fmt::format("i{}", i % 8 + 1), {}, sum(counts)};
    for (const auto count : join(counts, factor)) {
      layer.per_second.push_back(static_cast<double>(count) * per_second);
    }
    view.layers.push_back(std::move(layer));
  }
  if (const auto failed = timeline.requests.find(kFailed); failed != timeline.requests.end()) {
    view.failed = join(failed->second, factor);
    view.total_failed = sum(failed->second);
  }
  return view;
}

}  // namespace pilotfish::bench
