#include "resolver/background.hpp"

#include <utility>

namespace pilotfish::resolver {

InstanceSet Background::intern(InstanceList list) {
  if (list.empty()) {
    return {};
  }
  std::erase_if(lists_, [](const auto& entry) { return entry.expired(); });
  for (const auto& entry : lists_) {
    if (auto known = entry.lock(); known && *known == list) {
      return InstanceSet(std::move(known));
    }
  }
  auto kept = offload_.keep(std::move(list));
  lists_.push_back(kept);
  return InstanceSet(std::move(kept));
}

}  // namespace pilotfish::resolver
