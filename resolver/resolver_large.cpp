// Large answers: what is linear in them is done beside the worker (background.hpp), and the
// upstream gets to prepare, before they count. Until then what was known serves, and whoever waits
// for the lookup waits on; so freshness is what it is for small ones.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "resolver/resolver_impl.hpp"

namespace pilotfish::resolver {

bool ServiceResolver::Impl::works_aside(std::size_t instances) const {
  return dns_.background() != nullptr && instances >= kLargeAnswer;
}

net::Awaitable<void> ServiceResolver::Impl::prepare_tier(std::size_t tier, InstanceSet instances) {
  if (hooks_.prepare && !stopped_) {
    co_await hooks_.prepare(tier, std::move(instances));
  }
}

net::Awaitable<void> ServiceResolver::Impl::prepare(const LookupName& name, InstanceSet instances) {
  const auto self = shared_from_this();
  for (std::size_t index = 0; index < tiers_.size() && !stopped_; ++index) {
    if (!groups_[tiers_[index].group].asks_dns) {
      continue;
    }
    Tier::Joined joined;
    bool concerned = false;
    bool known = true;
    for (const auto place : tiers_[index].names) {
      const bool changed = names_[place].get() == &name;
      concerned = concerned || changed;
      known = known && (changed || names_[place]->state().known);
      joined.lists.push_back(changed ? instances : names_[place]->state().instances);
    }
    if (!concerned || !known) {
      continue;
    }
    auto* const background = dns_.background();
    if (joined.lists.size() == 1 && tiers_[index].tags.empty()) {
      joined.instances = instances;
    } else {
      auto job = [background, lists = joined.lists, tags = tiers_[index].tags] {
        return background->intern(join_lists(lists, tags));
      };
      joined.instances = co_await background->offload().run(dns_.executor(), std::move(job));
    }
    auto copy = joined.instances;
    tiers_[index].joined = std::move(joined);
    co_await prepare_tier(index, std::move(copy));
  }
}

net::Awaitable<void> ServiceResolver::Impl::prepare_static(std::shared_ptr<Impl> self) {
  try {
    auto copy = self->fixed_;
    co_await self->prepare_tier(0, std::move(copy));
  } catch (const std::exception&) {
    // No thread to be had: it is made here.
  }
  if (!self->stopped_) {
    self->answer_static();
  }
}

bool ServiceResolver::Impl::put_off(std::size_t number, const WatchStatePtr& state) {
  auto& group = groups_[number];
  const bool watching = group.watching();
  const bool news = state && state->up && (!watching || state->instances != group.state->instances);
  const auto held = watching ? group.state->instances->size() : 0;
  if (!news || !works_aside(std::max(state->instances->size(), held))) {
    group.coming.reset();  // what was to come is older than this
    return false;
  }
  group.coming = state;
  if (!watching) {
    ask_dns(group);
  }
  if (!std::exchange(group.taking_over, true)) {
    net::asio::co_spawn(dns_.executor(), take_over(shared_from_this(), number),
                        net::asio::detached);
  }
  return true;
}

net::Awaitable<void> ServiceResolver::Impl::take_over(std::shared_ptr<Impl> self,
                                                      std::size_t number) {
  auto& group = self->groups_[number];
  auto* const background = self->dns_.background();
  const auto executor = self->dns_.executor();
  while (group.coming && !self->stopped_) {
    const auto state = group.coming;
    const auto turn = group.turn;
    std::vector<InstanceSet> lists;
    try {
      for (std::size_t index = 0; index < self->tiers_.size() && !self->stopped_; ++index) {
        if (self->tiers_[index].group != number) {
          lists.emplace_back();
          continue;
        }
        auto job = [background, state, wants = self->tiers_[index].wants] {
          return background->intern(instances_with(*state, wants));
        };
        auto list = co_await background->offload().run(executor, std::move(job));
        lists.push_back(list);
        if (!list.same_as(self->answers_[index].instances)) {
          co_await self->prepare_tier(index, std::move(list));
        }
      }
    } catch (const std::exception&) {
      lists.clear();  // no thread to be had: then here, as a small one
    }
    if (self->stopped_ || turn != group.turn || !group.coming) {
      continue;  // something newer has been taken over meanwhile
    }
    if (group.coming == state) {
      group.coming.reset();
    }
    group.coming_lists = std::move(lists);
    self->take_watch(number, state);
    group.coming_lists.clear();
  }
  group.taking_over = false;
}

}  // namespace pilotfish::resolver
