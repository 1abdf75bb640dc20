#include "resolver/address_memory.hpp"

#include <algorithm>
#include <utility>

namespace pilotfish::resolver {
namespace {

constexpr PerFamily<Family> kBoth{Family::kV4, Family::kV6};

constexpr std::size_t place(Family family) {
  return static_cast<std::size_t>(family);
}

bool ran_out(const std::optional<LookupResult>& fault) {
  return fault == LookupResult::kTimeout || fault == LookupResult::kMalformed;
}

}  // namespace

AddressRound::AddressRound(AddressMemory& memory, std::vector<std::string> targets, TimePoint now)
    : memory_(memory), began_(now), open_(targets.size()) {
  std::map<std::string, AddressMemory::Target, std::less<>> kept;
  targets_.reserve(targets.size());
  for (auto& name : targets) {
    if (auto known = memory_.targets_.extract(name)) {
      kept.insert(std::move(known));
    } else {
      kept.try_emplace(name);
    }
    targets_.push_back({.name = std::move(name), .parts = {}});
  }
  memory_.targets_ = std::move(kept);
  for (const auto family : kBoth) {
    plan(family);
  }
}

void AddressRound::plan(Family family) {
  const auto part = place(family);
  const bool waited = began_ >= memory_.not_waited_until_[part];
  auto& order = order_[part];
  for (std::size_t index = 0; index < targets_.size(); ++index) {
    auto& mine = targets_[index].parts[part];
    const auto& known = memory_.targets_.find(targets_[index].name)->second[part];
    mine.waited = waited && !known.silent;
    if (known.asking) {
      mine.ended = true;  // as silent as before; the former question's answer will do when it comes
      mine.fault = LookupResult::kTimeout;
    } else {
      order.push_back(index);
    }
  }
  std::ranges::stable_partition(order, [&](std::size_t index) {
    return !memory_.targets_.find(targets_[index].name)->second[part].silent;
  });
}

std::optional<AddressRound::Ask> AddressRound::next(Family family) {
  const auto part = place(family);
  if (taken_ || asked_[part] == order_[part].size()) {
    return std::nullopt;
  }
  const auto target = order_[part][asked_[part]++];
  memory_.targets_.find(targets_[target].name)->second[part].asking = true;
  return Ask{target, family};
}

void AddressRound::ended(const Ask& ask, FamilyAnswer answer) {
  const auto part = place(ask.family);
  auto& target = targets_[ask.target];
  if (const auto known = memory_.targets_.find(target.name); known != memory_.targets_.end()) {
    auto& kept = known->second[part];
    kept.asking = false;
    if (!answer.fault) {
      kept.silent = false;
      kept.addresses = answer.addresses;
    }
  }
  if (taken_) {
    return;
  }
  auto& mine = target.parts[part];
  mine.ended = true;
  mine.found = !answer.addresses.empty();
  mine.nxdomain = answer.nxdomain;
  mine.fault = answer.fault;
  ttl_ = mine.found ? std::min(ttl_, answer.ttl) : ttl_;
  over_tcp_ = over_tcp_ || answer.over_tcp;
  settle(target);
}

bool AddressRound::settled(const Target& target) const {
  const auto& [v4, v6] = target.parts;
  if (v4.ended && v6.ended) {
    return true;
  }
  // That a name does not exist is true of both families (RFC 8020); but there are servers that say
  // so of AAAA where they only have none (RFC 4074 section 4.2), so it is A's word that counts.
  const auto enough = [this](bool came, const Part& other) {
    return came && !(patient_ && other.waited);
  };
  return enough(v4.found || v4.nxdomain, v6) || enough(v6.found, v4);
}

void AddressRound::settle(Target& target) {
  if (!target.settled && settled(target)) {
    target.settled = true;
    --open_;
  }
}

void AddressRound::patience_over() {
  patient_ = false;
  for (auto& target : targets_) {
    settle(target);
  }
}

AddressesFound AddressRound::take(TimePoint now) {
  taken_ = true;
  AddressesFound out;
  out.ttl = ttl_;
  out.over_tcp = over_tcp_;
  for (auto& target : targets_) {
    auto& known = memory_.targets_.find(target.name)->second;
    std::vector<IpAddress> addresses;
    std::optional<LookupResult> fault;
    bool nxdomain = true;
    const auto& v6 = target.parts[place(Family::kV6)];
    const bool gone = target.parts[place(Family::kV4)].nxdomain && (!v6.ended || ran_out(v6.fault));
    if (gone) {
      known[place(Family::kV6)].addresses.clear();
    }
    for (const auto family : kBoth) {
      const auto part = place(family);
      const auto& mine = target.parts[part];
      if (!mine.ended || ran_out(mine.fault)) {
        known[part].silent = true;
        if (mine.waited) {
          memory_.not_waited_until_[part] = now + AddressMemory::kNotAgainFor;
        }
      }
      if (!gone && (!mine.ended || mine.fault)) {
        fault = mine.fault.value_or(LookupResult::kTimeout);
        ++out.unanswered[part];
      }
      nxdomain = nxdomain && (gone || mine.nxdomain);
      addresses.insert(addresses.end(), known[part].addresses.begin(), known[part].addresses.end());
    }
    out.fault = fault ? fault : out.fault;
    if (!addresses.empty()) {
      std::ranges::sort(addresses);
      out.addresses.emplace(target.name, std::move(addresses));
    } else if (fault) {
      out.failed.push_back(target.name);
    } else {
      out.nxdomain += nxdomain ? 1 : 0;
      out.unknown.push_back(target.name);
    }
  }
  return out;
}

}  // namespace pilotfish::resolver
