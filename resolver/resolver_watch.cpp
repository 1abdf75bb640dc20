// With `fresh: watch`: tiers answered from what the watch of their datacenter says, and by DNS
// while it is down.
#include <algorithm>
#include <utility>

#include "resolver/resolver_impl.hpp"

namespace pilotfish::resolver {

/// Hears of one watch for a resolver that has several.
class ServiceResolver::Impl::Ear final : public WatchUser {
 public:
  Ear(Impl& owner, std::size_t group) : owner_(owner.weak_from_this()), group_(group) {}
  void on_watch(const WatchStatePtr& state) override {
    if (const auto owner = owner_.lock()) {
      owner->on_watch(group_, state);
    }
  }

 private:
  std::weak_ptr<Impl> owner_;
  std::size_t group_;
};

void ServiceResolver::Impl::hear_watch(std::size_t number) {
  auto& group = groups_[number];
  const auto key = watch_key(*group.watched);
  group.ear = std::make_shared<Ear>(*this, number);
  dns_.attach(key, group.ear);
  on_watch(number, dns_.watched(key));
}

void ServiceResolver::Impl::on_watch(std::size_t group, const WatchStatePtr& state) {
  if (stopped_ || !started_) {
    return;
  }
  if (!put_off(group, state)) {
    take_watch(group, state);
  }
}

void ServiceResolver::Impl::take_watch(std::size_t number, const WatchStatePtr& state) {
  auto& group = groups_[number];
  const bool was = group.watching();
  const bool was_unheard = group.unheard();
  ++group.turn;
  group.state = state;
  if (group.watching()) {
    group.watched_once = true;
    leave_dns(group);
    if (hooks_.on_watch) {
      hooks_.on_watch(watch_key(*group.watched), *state);
    }
    answer_from_watch(number);
    first_round_.notify_all();  // others than the first round wait for this group, too
    return;
  }
  if (was) {
    group.dns_since = Clock::now();
  }
  if (state && !state->left_to_dns && hooks_.on_lookup) {
    hooks_.on_lookup(failed_watch(*state, *group.watched));
  }
  ask_dns(group);
  if (was_unheard && !group.unheard()) {
    answer_what_waited(number);
    first_round_.notify_all();
  }
}

bool ServiceResolver::Impl::waits_for_watch(std::uint32_t place) const {
  return group_of_name(place).unheard() && std::ranges::any_of(tiers_, [place](const Tier& tier) {
           return needs_watch(tier.wants) &&
                  std::ranges::find(tier.names, place) != tier.names.end();
         });
}

void ServiceResolver::Impl::answer_what_waited(std::size_t group) {
  for (std::size_t index = 0; index < tiers_.size() && !stopped_; ++index) {
    if (tiers_[index].group == group && needs_watch(tiers_[index].wants)) {
      answer(index);
    }
  }
}

void ServiceResolver::Impl::answer_from_watch(std::size_t number) {
  const auto& group = groups_[number];
  const auto state = group.state;  // a hook may stop this
  for (std::size_t index = 0; index < tiers_.size() && !stopped_; ++index) {
    auto& tier = tiers_[index];
    if (tier.group != number) {
      continue;
    }
    if (tier.from == state->instances) {
      confirm(answers_[index], *state);
    } else {
      answers_[index] = group.coming_lists.empty()
                            ? tier_of(*state, *group.watched, tier.wants)
                            : answer_with(*state, *group.watched, group.coming_lists[index]);
      tier.from = state->instances;
      tier.revision = Tier::kOther;
      if (needs_watch(tier.wants)) {
        tier.matched = answers_[index].instances;
      }
    }
    tier.certain = true;
    tier.good = answers_[index].result == LookupResult::kOk;
    assumed_good_ = assumed_good_ || answers_[index].result == LookupResult::kOk;
    if (hooks_.on_lookup) {
      hooks_.on_lookup(answers_[index].names.front());
    }
    if (hooks_.on_answer) {
      hooks_.on_answer(index, answers_[index]);
    }
  }
}

void ServiceResolver::Impl::narrow(const Tier& tier, TierAnswer& answer) {
  if (answer.result != LookupResult::kOk) {
    return;
  }
  auto kept = only_known(answer.instances.list(), tier.matched.list());
  // Where nobody is known to fit nothing can be said: as a lookup that failed.
  answer.result = tier.matched.empty() ? LookupResult::kServfail
                  : kept.empty()       ? LookupResult::kEmpty
                                       : LookupResult::kOk;
  answer.instances = std::move(kept);
  answer.names.front().note =
      tier.matched.empty()
          ? "DNS cannot tell not and meta, and the API has not said yet who fits"
          : "DNS cannot tell not and meta: of these, only those that the API had let in";
}

}  // namespace pilotfish::resolver
