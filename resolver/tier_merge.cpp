#include "resolver/tier_merge.hpp"

#include <algorithm>

namespace pilotfish::resolver {
namespace {

LookupResult effective(const NameState& name) {
  return name.usable ? LookupResult::kOk : name.answer.result;
}

LookupResult join(std::span<const NameState* const> names) {
  auto joined = LookupResult::kOk;
  for (const auto* name : names) {
    const auto result = effective(*name);
    if (result == LookupResult::kNxdomain || result == LookupResult::kEmpty) {
      return result;
    }
    if (joined == LookupResult::kOk) {
      joined = result;
    }
  }
  return joined;
}

/// Both are sorted by endpoint.
void keep_common(InstanceList& kept, const InstanceList& other) {
  auto candidate = other.begin();
  std::erase_if(kept, [&](const Instance& instance) {
    while (candidate != other.end() && candidate->endpoint < instance.endpoint) {
      ++candidate;
    }
    return candidate == other.end() || candidate->endpoint != instance.endpoint;
  });
}

}  // namespace

void refresh_times(TierAnswer& answer, std::span<const NameState* const> names) {
  answer.asked = names.front()->asked;
  answer.answered = names.front()->answered;
  answer.ttl = names.front()->answer.ttl;
  answer.names.clear();
  for (const auto* name : names) {
    answer.asked = std::min(answer.asked, name->asked);
    answer.answered = std::max(answer.answered, name->answered);
    answer.ttl = std::min(answer.ttl, name->answer.ttl);
    answer.names.push_back(name->answer);
  }
}

TierAnswer merge_tier(std::span<const NameState* const> names,
                      const std::vector<std::string>& tags) {
  TierAnswer out;
  out.result = join(names);
  refresh_times(out, names);
  if (out.result != LookupResult::kOk) {
    return out;
  }
  out.instances = names.front()->instances;
  for (const auto* name : names.subspan(1)) {
    keep_common(out.instances, name->instances);
  }
  if (out.instances.empty()) {
    out.result = LookupResult::kEmpty;
  }
  for (auto& instance : out.instances) {
    instance.tags = tags;
  }
  return out;
}

}  // namespace pilotfish::resolver
