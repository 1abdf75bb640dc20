#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/notifier.hpp"
#include "resolver/dns_service.hpp"
#include "resolver/lookup_name.hpp"
#include "resolver/service_resolver.hpp"

namespace pilotfish::resolver {

/// The state behind a ServiceResolver; waiters keep it alive. Thread-safety: none; one executor.
class ServiceResolver::Impl final : public NameUser,
                                    public std::enable_shared_from_this<ServiceResolver::Impl> {
 public:
  Impl(DnsService::Impl& dns, const Source& source, Freshness freshness, LookupOptions lookup,
       Hooks hooks);

  void assume_good() { assumed_good_ = true; }
  void start();
  void stop();
  void join_again(DnsService::Impl& dns) const;
  [[nodiscard]] Ticket arrive(std::size_t first, std::size_t last, TimePoint now);
  [[nodiscard]] bool satisfied(const Ticket& ticket) const;
  [[nodiscard]] net::Awaitable<Wait> wait(const Ticket& ticket, const bool& gone);
  [[nodiscard]] TimePoint last_lookup_started() const;
  [[nodiscard]] bool first_round_done() const;
  [[nodiscard]] net::Awaitable<void> wait_first_round(TimePoint deadline);
  [[nodiscard]] const std::vector<TierAnswer>& last_answers() const { return answers_; }

  void on_looked_up(const LookupName& name) override;
  net::Awaitable<void> prepare(const LookupName& name, InstanceSet instances) override;
  [[nodiscard]] bool has_instances(const LookupName& name) const override;

 private:
  /// The tiers of one datacenter: with `fresh: watch` they are answered by one watch, and while it
  /// is down by DNS, whatever those of others do. Other sources have one.
  struct Group {
    std::string datacenter;
    std::vector<std::uint32_t> names;  // places in names_
    bool asks_dns = false;
    TimePoint dns_since{};  // what names knew before is no answer
    // With `fresh: watch`:
    std::optional<ConsulSource> watched;    // in that datacenter
    std::shared_ptr<WatchUser> ear;         // hears of it
    WatchStatePtr state;                    // its newest state
    WatchStatePtr coming;                   // a newer one, not taken over yet
    std::vector<InstanceSet> coming_lists;  // per tier, of the state that is being taken over
    std::uint64_t turn = 0;                 // grows with each state that was taken over
    bool taking_over = false;
    bool watched_once = false;  // the watch was up
    /// The watch answers: nothing is looked up.
    [[nodiscard]] bool watching() const { return state && state->up; }
    /// The watch has not said a word yet, not even that it failed.
    [[nodiscard]] bool unheard() const { return watched && !state && !watched_once; }
  };
  class Ear;
  struct Tier {
    std::size_t group = 0;
    std::vector<std::uint32_t> names;  // places in names_
    std::vector<std::string> tags;
    ConsulTier wants;
    InstanceSet matched;  // where no name can say what it wants: what the watch last gave it
    static constexpr std::uint64_t kOther = 0;  // the answer is not the names'
    std::uint64_t revision = kOther;            // the sum of the names', which only grow
    std::shared_ptr<const InstanceList> from;   // of the watch, where the answer is its
    struct Joined {
      std::vector<InstanceSet> lists;  // of the names
      InstanceSet instances;           // what they make together
    };
    std::optional<Joined> joined;  // ahead of their answer, where they are large
    bool certain = false;          // an answer that was no failure came
    bool good = false;             // and the last of those has instances
  };

  [[nodiscard]] std::uint32_t place_of(const std::shared_ptr<LookupName>& name);
  [[nodiscard]] std::size_t group_of(const std::string& datacenter);
  void hear_watch(std::size_t number);  // resolver_watch.cpp, with what follows from it
  void on_watch(std::size_t group, const WatchStatePtr& state);
  [[nodiscard]] const Group& group_of_name(std::uint32_t place) const {
    return groups_[group_of_name_[place]];
  }
  void claim(Ticket& ticket, std::uint32_t place, TimePoint now);
  void answer(std::size_t index);
  [[nodiscard]] bool has_instances(const Tier& tier) const {
    return tier.certain ? tier.good : assumed_good_;
  }
  [[nodiscard]] bool feeds(const LookupName& name, const Tier& tier) const;
  /// DNS denies what is known while the watch that knew it is down, and nothing else bears it out.
  [[nodiscard]] bool only_looks_absent(std::size_t index) const;
  void note_watch(std::size_t index);
  void ask_dns(Group& group);
  /// Names that others (or this upstream before a reload) use already: what they know serves until
  /// the next lookup.
  void take_known(TimePoint now);
  void leave_dns(Group& group);
  void answer_from_watch(std::size_t number);
  /// DNS cannot leave out what `not` and `meta` do: nobody but those who fitted last.
  static void narrow(const Tier& tier, TierAnswer& answer);
  void answer_static();
  // resolver_large.cpp: answers that are worked on beside the worker before they count.
  [[nodiscard]] bool works_aside(std::size_t instances) const;
  net::Awaitable<void> prepare_tier(std::size_t tier, InstanceSet instances);
  static net::Awaitable<void> prepare_static(std::shared_ptr<Impl> self);
  /// True where a state of the watch is taken over by and by.
  [[nodiscard]] bool put_off(std::size_t number, const WatchStatePtr& state);
  static net::Awaitable<void> take_over(std::shared_ptr<Impl> self, std::size_t number);
  void take_watch(std::size_t number, const WatchStatePtr& state);
  [[nodiscard]] bool waits_for_static() const {
    return tiers_.empty() && started_ && !stopped_ && answers_.front().answered == TimePoint{};
  }
  /// A tier of this name asks for what DNS cannot tell, and its watch has not spoken: whatever DNS
  /// says of the name, nothing is known of that tier.
  [[nodiscard]] bool waits_for_watch(std::uint32_t place) const;
  /// What DNS has said meanwhile counts for them from now on.
  void answer_what_waited(std::size_t group);
  /// Every tier is answered by a watch.
  [[nodiscard]] bool watching() const {
    return !groups_.empty() && std::ranges::all_of(groups_, &Group::watching);
  }
  void tell_first_round();

  DnsService::Impl& dns_;  // touched until stop() alone
  Source source_;
  Freshness freshness_;
  LookupOptions lookup_;
  Hooks hooks_;
  std::vector<std::shared_ptr<LookupName>> names_;
  std::vector<std::size_t> group_of_name_;
  std::vector<Group> groups_;  // as many as at the beginning
  std::vector<Tier> tiers_;
  std::vector<TierAnswer> answers_;
  InstanceSet fixed_;  // of a static source
  net::Notifier first_round_;
  bool assumed_good_ = false;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace pilotfish::resolver
