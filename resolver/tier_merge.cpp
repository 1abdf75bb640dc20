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
void keep_common(InstanceList& kept, const InstanceSet& other) {
  auto candidate = other.begin();
  std::erase_if(kept, [&](const Instance& instance) {
    while (candidate != other.end() && candidate->endpoint < instance.endpoint) {
      ++candidate;
    }
    return candidate == other.end() || candidate->endpoint != instance.endpoint;
  });
}

}  // namespace

InstanceList join_lists(std::span<const InstanceSet> lists, const std::vector<std::string>& tags) {
  auto kept = lists.front().list();
  for (const auto& other : lists.subspan(1)) {
    keep_common(kept, other);
  }
  for (auto& instance : kept) {
    instance.tags = tags;
  }
  return kept;
}

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

TierAnswer merge_tier(std::span<const NameState* const> names, const std::vector<std::string>& tags,
                      const InstanceSet* joined) {
  TierAnswer out;
  out.result = join(names);
  refresh_times(out, names);
  if (out.result != LookupResult::kOk) {
    return out;
  }
  if (joined != nullptr) {
    out.instances = *joined;
  } else if (names.size() == 1 && tags.empty()) {
    out.instances = names.front()->instances;  // they have no tags, and need none
  } else {
    std::vector<InstanceSet> lists;
    lists.reserve(names.size());
    for (const auto* name : names) {
      lists.push_back(name->instances);
    }
    out.instances = join_lists(lists, tags);
  }
  if (out.instances.empty()) {
    out.result = LookupResult::kEmpty;
  }
  return out;
}

}  // namespace pilotfish::resolver
