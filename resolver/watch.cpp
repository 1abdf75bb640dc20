#include "resolver/watch.hpp"

#include <algorithm>

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

TierAnswer tier_of(const WatchState& state, const ConsulSource& source,
                   const std::vector<std::string>& tags) {
  return answer_with(state, source, instances_with(*state.instances, tags));
}

InstanceList instances_with(const InstanceList& all, const std::vector<std::string>& tags) {
  InstanceList out;
  for (const auto& instance : all) {
    if (has_all(instance.tags, tags)) {
      out.push_back({instance.endpoint, instance.weight, instance.priority, tags});
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
