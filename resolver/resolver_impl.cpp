#include "resolver/resolver_impl.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

namespace pilotfish::resolver {
namespace {

/// A name in use is looked up every 10 s; what is older is from before it was left.
constexpr Duration kKnownFor = std::chrono::seconds(15);
/// How late it is noticed that nobody waits for an answer any more.
constexpr Duration kLook = std::chrono::milliseconds(50);

}  // namespace

ServiceResolver::Impl::Impl(DnsService::Impl& dns, const Source& source, Freshness freshness,
                            LookupOptions lookup, Hooks hooks)
    : dns_(dns),
      source_(source),
      freshness_(freshness),
      lookup_(lookup),
      hooks_(std::move(hooks)),
      first_round_(dns.executor()) {
  if (const auto* fixed = std::get_if<StaticSource>(&source)) {
    auto list = fixed->instances;
    normalise(list);
    fixed_ = std::move(list);
    answers_.resize(1);
    return;
  }
  for (const auto& plan : plan_tiers(source, dns.consul().domain)) {
    Tier tier;
    tier.tags = plan.tags;
    tier.wants = plan.wants;
    tier.group = group_of(plan.wants.datacenter);
    for (const auto& name : plan.names) {
      const auto place = place_of(dns.name(source, name, lookup_));
      tier.names.push_back(place);
      if (place == group_of_name_.size()) {
        group_of_name_.push_back(tier.group);
        groups_[tier.group].names.push_back(place);
      }
    }
    tiers_.push_back(std::move(tier));
  }
  answers_.resize(tiers_.size());
  if (const auto* consul = std::get_if<ConsulSource>(&source);
      consul != nullptr && freshness == Freshness::kWatch) {
    for (auto& group : groups_) {
      group.watched = *consul;
      group.watched->datacenter = group.datacenter;
    }
  }
}

std::size_t ServiceResolver::Impl::group_of(const std::string& datacenter) {
  const auto found = std::ranges::find(groups_, datacenter, &Group::datacenter);
  const auto place = static_cast<std::size_t>(found - groups_.begin());
  if (found == groups_.end()) {
    groups_.emplace_back().datacenter = datacenter;
  }
  return place;
}

std::uint32_t ServiceResolver::Impl::place_of(const std::shared_ptr<LookupName>& name) {
  const auto found = std::ranges::find(names_, name);
  const auto place = static_cast<std::uint32_t>(found - names_.begin());
  if (found == names_.end()) {
    names_.push_back(name);
  }
  return place;
}

void ServiceResolver::Impl::start() {
  if (started_ || stopped_) {
    return;
  }
  started_ = true;
  if (tiers_.empty()) {
    if (works_aside(fixed_.size())) {
      net::asio::co_spawn(dns_.executor(), prepare_static(shared_from_this()), net::asio::detached);
    } else {
      answer_static();
    }
    return;
  }
  bool watches = false;
  for (std::size_t number = 0; number < groups_.size() && !stopped_; ++number) {
    if (groups_[number].watched) {
      watches = true;
      hear_watch(number);
    } else {
      ask_dns(groups_[number]);
    }
  }
  if (!watches) {
    take_known(Clock::now());
  }
}

void ServiceResolver::Impl::answer_static() {
  auto& answer = answers_.front();
  answer.result = fixed_.empty() ? LookupResult::kEmpty : LookupResult::kOk;
  answer.instances = fixed_;
  answer.asked = Clock::now();
  answer.answered = answer.asked;
  answer.names = {{"static", answer.result, Transport::kStatic, {}, {}, fixed_.size(), {}}};
  if (hooks_.on_answer) {
    hooks_.on_answer(0, answer);
  }
  first_round_.notify_all();
}

void ServiceResolver::Impl::ask_dns(Group& group) {
  if (std::exchange(group.asks_dns, true)) {
    return;
  }
  for (const auto place : group.names) {
    const auto& name = names_[place];
    if (freshness_ != Freshness::kTtl) {
      name->gate().ask_when_idle();
    }
    name->attach(shared_from_this());
  }
}

void ServiceResolver::Impl::take_known(TimePoint now) {
  for (std::size_t tier = 0; tier < tiers_.size() && !stopped_; ++tier) {
    const bool recent = std::ranges::all_of(tiers_[tier].names, [&](std::uint32_t place) {
      const auto& state = names_[place]->state();
      return state.known && now - state.asked < kKnownFor;
    });
    if (recent) {
      answer(tier);
    }
  }
}

void ServiceResolver::Impl::join_again(DnsService::Impl& dns) const {
  for (const auto& plan : plan_tiers(source_, dns.consul().domain)) {
    for (const auto& name : plan.names) {
      (void)dns.name(source_, name, lookup_);
    }
  }
}

void ServiceResolver::Impl::leave_dns(Group& group) {
  if (!std::exchange(group.asks_dns, false)) {
    return;
  }
  for (const auto place : group.names) {
    names_[place]->detach(*this);
  }
}

void ServiceResolver::Impl::stop() {
  if (stopped_) {
    return;
  }
  stopped_ = true;
  for (auto& group : groups_) {
    leave_dns(group);
  }
  first_round_.notify_all();
}

void ServiceResolver::Impl::claim(Ticket& ticket, std::uint32_t place, TimePoint now) {
  const bool claimed = std::ranges::any_of(
      ticket.needs, [place](const Ticket::Need& need) { return need.name == place; });
  if (claimed) {
    return;
  }
  auto& name = *names_[place];
  auto& gate = name.gate();
  if (freshness_ == Freshness::kTtl) {
    const bool cached = gate.cached(now);
    const auto generation = gate.arrive_cached(now);
    if (!cached) {
      ticket.needs.push_back({place, generation});
    }
  } else {
    ticket.needs.push_back({place, gate.arrive()});
  }
  name.pump(now);
}

ServiceResolver::Ticket ServiceResolver::Impl::arrive(std::size_t first, std::size_t last,
                                                      TimePoint now) {
  Ticket ticket;
  ticket.deadline = now + lookup_.timeout;
  if (stopped_ || tiers_.empty() || watching()) {
    return ticket;
  }
  ticket.needs.reserve(Ticket::kInline);
  for (std::size_t tier = first; tier <= last && tier < tiers_.size(); ++tier) {
    if (groups_[tiers_[tier].group].watching()) {
      continue;
    }
    for (const auto place : tiers_[tier].names) {
      claim(ticket, place, now);
    }
  }
  return ticket;
}

bool ServiceResolver::Impl::satisfied(const Ticket& ticket) const {
  return !waits_for_static() && std::ranges::all_of(ticket.needs, [this](const Ticket::Need& need) {
    return group_of_name(need.name).watching() ||
           (names_[need.name]->gate().fresh(need.generation) && !waits_for_watch(need.name));
  });
}

net::Awaitable<ServiceResolver::Wait> ServiceResolver::Impl::wait(const Ticket& ticket,
                                                                  const bool& gone) {
  const auto self = shared_from_this();
  const auto next_look = [&] { return std::min(ticket.deadline, Clock::now() + kLook); };
  const auto waits = [&] { return !gone && !stopped_ && Clock::now() < ticket.deadline; };
  while (waits_for_static() && waits()) {
    (void)co_await first_round_.wait_until(next_look());
  }
  bool fresh = true;
  bool good = assumed_good_;
  for (const auto& need : ticket.needs) {
    const auto name = names_[need.name];
    const auto& group = group_of_name(need.name);
    while (!group.watching() && !name->gate().released(need.generation) && waits()) {
      (void)co_await name->notifier().wait_until(next_look());
    }
    while (waits_for_watch(need.name) && waits()) {
      (void)co_await first_round_.wait_until(next_look());
    }
    // A watch that is back brought what came after this arrival.
    fresh = fresh && (group.watching() ||
                      (name->gate().fresh(need.generation) && !waits_for_watch(need.name)));
    good = good || name->has_good();
  }
  if (gone) {
    co_return Wait::kFresh;
  }
  if (!fresh && good && !stopped_ && hooks_.on_stale) {
    hooks_.on_stale();
  }
  co_return fresh ? Wait::kFresh : Wait::kStale;
}

TimePoint ServiceResolver::Impl::last_lookup_started() const {
  if (watching()) {
    return TimePoint::max();
  }
  TimePoint newest{};
  for (const auto& group : groups_) {
    for (const auto place : group.names) {
      newest = group.watching() ? newest : std::max(newest, names_[place]->gate().last_started());
    }
  }
  return newest;
}

bool ServiceResolver::Impl::first_round_done() const {
  return started_ && !waits_for_static() &&
         std::ranges::all_of(groups_, [this](const Group& group) {
           return group.watching() || std::ranges::all_of(group.names, [this](std::uint32_t place) {
                    return names_[place]->state().known && !waits_for_watch(place);
                  });
         });
}

net::Awaitable<void> ServiceResolver::Impl::wait_first_round(TimePoint deadline) {
  const auto self = shared_from_this();
  while (!stopped_ && !first_round_done() && Clock::now() < deadline) {
    (void)co_await first_round_.wait_until(deadline);
  }
}

void ServiceResolver::Impl::on_looked_up(const LookupName& name) {
  const auto asks = [this](const Tier& tier) { return groups_[tier.group].asks_dns; };
  const bool concerned = std::ranges::any_of(
      tiers_, [&](const Tier& tier) { return asks(tier) && feeds(name, tier); });
  if (stopped_ || !concerned) {
    return;
  }
  if (hooks_.on_lookup) {
    hooks_.on_lookup(name.state().answer);
  }
  for (std::size_t tier = 0; tier < tiers_.size() && !stopped_; ++tier) {
    if (asks(tiers_[tier]) && feeds(name, tiers_[tier])) {
      answer(tier);
    }
  }
  tell_first_round();
}

bool ServiceResolver::Impl::feeds(const LookupName& name, const Tier& tier) const {
  return std::ranges::any_of(tier.names,
                             [&](std::uint32_t place) { return names_[place].get() == &name; });
}

bool ServiceResolver::Impl::has_instances(const LookupName& name) const {
  return !stopped_ && std::ranges::any_of(tiers_, [&](const Tier& tier) {
    return feeds(name, tier) && has_instances(tier);
  });
}

void ServiceResolver::Impl::tell_first_round() {
  if (first_round_.waiting() != 0 && first_round_done()) {
    first_round_.notify_all();
  }
}

void ServiceResolver::Impl::answer(std::size_t index) {
  auto& tier = tiers_[index];
  const auto& group = groups_[tier.group];
  if (group.unheard() && needs_watch(tier.wants)) {
    return;  // whoever is of this tier: DNS does not know
  }
  std::vector<const NameState*> states;
  std::uint64_t revision = 0;
  for (const auto place : tier.names) {
    const auto& state = names_[place]->state();
    if (!state.known || state.asked < group.dns_since) {
      return;  // older than the watch's last answer
    }
    states.push_back(&state);
    revision += state.revision;
  }
  if (revision == tier.revision) {
    refresh_times(answers_[index], states);
  } else {
    const auto fits = [](const InstanceSet& list, const NameState* state) {
      return list.same_as(state->instances);
    };
    const bool ready = tier.joined && std::ranges::equal(tier.joined->lists, states, fits);
    answers_[index] = merge_tier(states, tier.tags, ready ? &tier.joined->instances : nullptr);
    tier.joined.reset();
    tier.revision = revision;
    tier.from = nullptr;
  }
  const bool denied = only_looks_absent(index);
  if (denied) {
    answers_[index].result = group.state->failure;
    tier.revision = Tier::kOther;  // to be judged anew each time
  } else if (needs_watch(tier.wants)) {
    narrow(tier, answers_[index]);
    tier.revision = Tier::kOther;
  }
  note_watch(index);
  if (denied) {
    answers_[index].names.front().note += "; what it knew stays";
  }
  if (const auto result = answers_[index].result; !is_failure(result)) {
    tier.certain = true;
    tier.good = result == LookupResult::kOk;
  }
  if (hooks_.on_answer) {
    hooks_.on_answer(index, answers_[index]);
  }
}

bool ServiceResolver::Impl::only_looks_absent(std::size_t index) const {
  const auto& tier = tiers_[index];
  const auto& group = groups_[tier.group];
  if (!group.state || group.state->left_to_dns || !group.watched_once ||
      !is_absent(answers_[index].result) || !has_instances(tier)) {
    return false;
  }
  return std::ranges::none_of(
      tier.names, [this](std::uint32_t place) { return names_[place]->state().confirmed; });
}

void ServiceResolver::Impl::note_watch(std::size_t index) {
  const auto& state = groups_[tiers_[index].group].state;
  if (state && !state->problem.empty()) {
    auto& note = answers_[index].names.front().note;
    note += (note.empty() ? "" : "; ") + ("instead of the watch: " + state->problem);
  }
}

}  // namespace pilotfish::resolver
