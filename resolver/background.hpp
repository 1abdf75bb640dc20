#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/instance.hpp"
#include "net/offload.hpp"

namespace pilotfish::resolver {

/// What all workers share for the work that is linear in a large answer: a thread, and the lists
/// that it made. Equal lists are one object, whoever made them and when: so an answer that says
/// what the last one said is known by its address, and workers that read the same answer hold it
/// once. Ownership: as net::Offload.
class Background {
 public:
  [[nodiscard]] net::Offload& offload() { return offload_; }

  /// The one list that equals this one. Inside a job alone (offload().run()).
  [[nodiscard]] InstanceSet intern(InstanceList list);

 private:
  std::vector<std::weak_ptr<const InstanceList>> lists_;  ///< touched by jobs alone
  net::Offload offload_;                                  ///< ends first: its jobs use the above
};

}  // namespace pilotfish::resolver
