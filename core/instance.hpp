#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/endpoint.hpp"

namespace pilotfish {

/// One instance of a service as the registry announces it. A value; equality covers every field.
struct Instance {
  Endpoint endpoint;
  /// SRV weight, 0..65535, linear. 0 gets traffic only when nothing else is left (it drains).
  std::uint32_t weight = 1;
  /// SRV priority, 0..65535; every instance of a lower number comes first (RFC 2782).
  std::uint32_t priority = 0;
  /// The tags it was found under, sorted; empty where the source has none.
  std::vector<std::string> tags;
  /// The name that led to its address (an SRV target, a name of `hosts:`); empty where the source
  /// has none, or none that the instance itself goes by.
  std::string host{};

  friend bool operator==(const Instance&, const Instance&) = default;
};

/// Normalised: sorted by endpoint, each endpoint once.
using InstanceList = std::vector<Instance>;

/// From so many instances on an answer is large: what is linear in it is done beside the workers.
inline constexpr std::size_t kLargeAnswer = 256;

/// Sorts by endpoint and drops repeated endpoints; the first occurrence in the given order stays
/// (best_first.hpp: where that order is chance). Instances with port 0 go.
void normalise(InstanceList& instances);

/// An InstanceList that never changes again, shared by all who hold it, also across threads: a copy
/// costs a reference, and two that are the same object are known to be equal without a look.
/// A value; reads like the list it holds.
class InstanceSet {
 public:
  using value_type = Instance;
  using size_type = InstanceList::size_type;
  using const_iterator = InstanceList::const_iterator;
  using iterator = const_iterator;

  InstanceSet() = default;
  InstanceSet(InstanceList list)  // NOLINT(google-explicit-constructor): a list becomes a set
      : list_(list.empty() ? nullptr : std::make_shared<const InstanceList>(std::move(list))) {}
  explicit InstanceSet(std::shared_ptr<const InstanceList> list) : list_(std::move(list)) {}

  [[nodiscard]] const InstanceList& list() const { return list_ ? *list_ : nothing(); }
  [[nodiscard]] const std::shared_ptr<const InstanceList>& shared() const { return list_; }
  [[nodiscard]] const_iterator begin() const { return list().begin(); }
  [[nodiscard]] const_iterator end() const { return list().end(); }
  [[nodiscard]] const Instance* data() const { return list().data(); }
  [[nodiscard]] size_type size() const { return list_ ? list_->size() : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] const Instance& operator[](size_type row) const { return (*list_)[row]; }
  [[nodiscard]] const Instance& at(size_type row) const { return list().at(row); }
  [[nodiscard]] const Instance& front() const { return list().front(); }

  /// The same object: nothing has changed.
  [[nodiscard]] bool same_as(const InstanceSet& other) const { return list_ == other.list_; }
  friend bool operator==(const InstanceSet& a, const InstanceSet& b) {
    return a.same_as(b) || a.list() == b.list();
  }

 private:
  static const InstanceList& nothing();
  std::shared_ptr<const InstanceList> list_;
};

}  // namespace pilotfish
