#include "bench/harness/fleet.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>

namespace pilotfish::bench {

Fleet::Fleet(const FleetOptions& options) {
  Ports ports(options.seed);
  for (std::size_t i = 0; i < options.versions.size(); ++i) {
    auto member = std::make_unique<Member>();
    BackendOptions backend;
    backend.version = options.versions[i];
    backend.instance = "#" + std::to_string(i + 1);
    backend.body_bytes = options.body_bytes;
    backend.on_request = [own = member.get()](TimePoint at) {
      const std::lock_guard lock(own->mutex);
      own->arrivals.push_back(at);
    };
    while (!member->backend) {
      backend.listen = ports.next();
      try {
        member->backend = std::make_unique<Backend>(loop_, backend);
      } catch (const boost::system::system_error&) {  // taken meanwhile: the next one
      }
    }
    member->endpoint = member->backend->endpoint();
    members_.push_back(std::move(member));
  }
}

Fleet::~Fleet() {
  for (const auto& member : members_) member->backend.reset();
}

const std::string& Fleet::name(std::size_t member) const {
  return members_[member]->backend->name();
}
const std::string& Fleet::version(std::size_t member) const {
  return members_[member]->backend->version();
}

void Fleet::kill(std::size_t member) {
  members_[member]->alive = false;
  members_[member]->backend->kill();
}

void Fleet::revive(std::size_t member) {
  if (!std::exchange(members_[member]->alive, true)) members_[member]->backend->revive();
}

void Fleet::forget() {
  for (const auto& member : members_) {
    const std::lock_guard lock(member->mutex);
    member->arrivals.clear();
  }
}

std::vector<TimePoint> Fleet::arrivals(std::size_t member) const {
  const auto& one = *members_[member];
  const std::lock_guard lock(one.mutex);
  return one.arrivals;
}

std::optional<TimePoint> Fleet::first_since(std::size_t member, TimePoint moment) const {
  const auto& one = *members_[member];
  const std::lock_guard lock(one.mutex);
  const auto first = std::lower_bound(one.arrivals.begin(), one.arrivals.end(), moment);
  if (first == one.arrivals.end()) return std::nullopt;
  return *first;
}

std::optional<TimePoint> Fleet::last(std::size_t member) const {
  const auto& one = *members_[member];
  const std::lock_guard lock(one.mutex);
  if (one.arrivals.empty()) return std::nullopt;
  return one.arrivals.back();
}

}  // namespace pilotfish::bench
