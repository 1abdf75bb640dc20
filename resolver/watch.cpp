#include "resolver/watch.hpp"

#include <algorithm>
#include <utility>

#include "resolver/tier_match.hpp"

namespace pilotfish::resolver {
namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool same_letters(const std::string& a, const std::string& b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string name_of(const ConsulSource& source) {
  return source.datacenter.empty() ? source.service : source.service + "." + source.datacenter;
}

const InstanceDetail* detail_of(const WatchState& state, const Endpoint& endpoint) {
  if (!state.details) {
    return nullptr;
  }
  const auto found =
      std::ranges::lower_bound(*state.details, endpoint, {}, &InstanceDetail::endpoint);
  return found == state.details->end() || found->endpoint != endpoint ? nullptr : &*found;
}

}  // namespace

bool has_all(const std::vector<std::string>& tags, const std::vector<std::string>& wanted) {
  return std::ranges::all_of(wanted, [&tags](const std::string& want) {
    return std::ranges::any_of(tags,
                               [&want](const std::string& tag) { return same_letters(tag, want); });
  });
}

WatchKey watch_key(const ConsulSource& source) {
  return {source.service, source.datacenter};
}

std::vector<WatchKey> watch_keys(const ConsulSource& source) {
  std::vector<WatchKey> out;
  for (const auto& tier : source.tiers) {
    WatchKey key{source.service, tier.datacenter.empty() ? source.datacenter : tier.datacenter};
    if (std::ranges::find(out, key) == out.end()) {
      out.push_back(std::move(key));
    }
  }
  return out;
}

TierAnswer tier_of(const WatchState& state, const ConsulSource& source, const ConsulTier& tier) {
  return answer_with(state, source, instances_with(state, tier));
}

InstanceList instances_with(const WatchState& state, const ConsulTier& tier) {
  InstanceList out;
  const decltype(InstanceDetail::meta) unknown;
  for (const auto& instance : *state.instances) {
    const auto* detail = tier.meta.empty() ? nullptr : detail_of(state, instance.endpoint);
    if (fits(tier, instance.tags, detail == nullptr ? unknown : detail->meta)) {
      out.push_back({instance.endpoint, instance.weight, instance.priority, tier.tags});
    }
  }
  return out;
}

bool needs_watch(const ConsulTier& tier) {
  return !tier.without.empty() || !tier.meta.empty();
}

InstanceList only_known(const InstanceList& asked, const InstanceList& matched) {
  InstanceList out;
  for (const auto& instance : asked) {
    if (std::ranges::binary_search(matched, instance.endpoint, {}, &Instance::endpoint)) {
      out.push_back(instance);
    }
  }
  return out;
}

TierAnswer answer_with(const WatchState& state, const ConsulSource& source, InstanceSet instances) {
  TierAnswer answer;
  answer.instances = std::move(instances);
  answer.result = answer.instances.empty() ? LookupResult::kEmpty : LookupResult::kOk;
  NameAnswer name;
  name.name = name_of(source);
  name.result = answer.result;
  name.transport = Transport::kWatch;
  name.records = answer.instances.size();
  answer.names.push_back(std::move(name));
  confirm(answer, state);
  return answer;
}

void confirm(TierAnswer& answer, const WatchState& state) {
  answer.asked = state.asked;
  answer.answered = state.answered;
  for (auto& name : answer.names) {
    name.took = state.took;
    name.note = state.note;
  }
}

NameAnswer failed_watch(const WatchState& state, const ConsulSource& source) {
  NameAnswer name;
  name.name = name_of(source);
  name.result = state.failure;
  name.transport = Transport::kWatch;
  name.took = state.took;
  name.note = state.problem;
  return name;
}

}  // namespace pilotfish::resolver
