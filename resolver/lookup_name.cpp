#include "resolver/lookup_name.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <utility>

namespace pilotfish::resolver {
namespace {

/// So long what the agent's API said last counts where it cannot be asked again.
constexpr Duration kVerdictStands = std::chrono::seconds(30);

}  // namespace

LookupName::LookupName(net::Executor executor, LookupPlan plan, NameTransport transport,
                       double per_second, Logger& logger, Completer* completer,
                       Background* background)
    : executor_(executor),
      plan_(std::move(plan)),
      transport_(std::move(transport)),
      gate_(per_second),
      logger_(logger),
      completer_(completer),
      background_(background),
      notifier_(executor),
      timer_(executor) {}

void LookupName::attach(const std::shared_ptr<NameUser>& user) {
  if (users_.empty()) {
    absence_ = {};  // what was said of a time when nobody asked
  }
  users_.push_back(user);
  gate_.want();
  pump(Clock::now());
}

void LookupName::detach(const NameUser& user) {
  std::erase_if(users_, [&user](const std::weak_ptr<NameUser>& entry) {
    const auto held = entry.lock();
    return !held || held.get() == &user;
  });
  if (users_.empty()) {
    timer_.cancel();
    armed_at_ = LookupGate::kNever;
  }
  notifier_.notify_all();  // its waiters look at its own state; others wait on
}

void LookupName::join(double per_second, Duration timeout, NameTransport transport) {
  const bool alone = std::exchange(forget_limits_, false);
  if (alone) {
    gate_.set_rate(per_second);
  } else {
    gate_.limit(per_second);
  }
  if (timeout > plan_.timeout || (alone && timeout != plan_.timeout)) {
    plan_.timeout = timeout;
    transport_ = std::move(transport);
  }
}

void LookupName::pump(TimePoint now) {
  if (users_.empty()) {
    return;
  }
  if (gate_.begin(now)) {
    net::asio::co_spawn(executor_, perform(shared_from_this()), net::asio::detached);
  }
  arm(gate_.next_at(now));
}

void LookupName::arm(TimePoint at) {
  if (at >= armed_at_) {
    return;  // it fires before and looks again; usual, since each answer moves the next one on
  }
  armed_at_ = at;
  timer_.expires_at(at);
  timer_.async_wait([weak = weak_from_this()](net::ErrorCode error) {
    const auto self = weak.lock();
    if (!self || error) {
      return;  // moved to an earlier time, which has its own wait, or nobody is interested
    }
    self->armed_at_ = LookupGate::kNever;
    self->pump(Clock::now());
  });
}

net::Awaitable<void> LookupName::perform(std::shared_ptr<LookupName> self) {
  auto asked = self->gate_.last_started();
  const auto plan = self->plan_;  // join() may change them meanwhile
  const auto transport = self->transport_;
  LookupOutcome outcome;
  InstanceSet instances;
  try {
    DnsLookup lookup(plan, self->memory_, transport, self->completer_);
    outcome = co_await lookup.run(self->executor_);
    if (is_absent(outcome.answer.result) && self->completer_ != nullptr && plan.source) {
      co_await doubt(self, outcome);
    } else if (outcome.answer.result == LookupResult::kOk) {
      self->absence_.present();
    }
    const auto most = std::max(outcome.instances.size(), self->state_.instances.size());
    if (self->background_ != nullptr && most >= kLargeAnswer && !outcome.instances.empty()) {
      instances = co_await prepare(self, std::move(outcome.instances));
    } else {
      instances = std::move(outcome.instances);
    }
  } catch (const std::exception& error) {
    // The completer is not ours; whatever it does, the gate must not stay shut.
    outcome.answer.name = plan.name.text;
    outcome.answer.result = LookupResult::kMalformed;
    outcome.answer.note = error.what();
  }
  if (outcome.by_verdict) {
    asked = std::min(asked, self->verdict_asked_);
  }
  self->finished(std::move(outcome), std::move(instances), asked);
}

net::Awaitable<InstanceSet> LookupName::prepare(std::shared_ptr<LookupName> self,
                                                InstanceList instances) {
  auto* const background = self->background_;
  auto job = [background, list = std::move(instances)]() mutable {
    return background->intern(std::move(list));
  };
  auto set = co_await background->offload().run(self->executor_, std::move(job));
  const auto users = self->users_;
  for (const auto& entry : users) {
    if (const auto user = entry.lock()) {
      auto copy = set;
      co_await user->prepare(*self, std::move(copy));
    }
  }
  co_return set;
}

bool LookupName::has_instances() const {
  return has_good_ || std::ranges::any_of(users_, [this](const auto& entry) {
           const auto user = entry.lock();
           return user && user->has_instances(*this);
         });
}

net::Awaitable<void> LookupName::doubt(std::shared_ptr<LookupName> self, LookupOutcome& outcome) {
  using Step = AbsencePlan::Step;
  const auto step = self->absence_.absent(self->has_instances(), Clock::now());
  if (step == Step::kBelieve) {
    co_return;
  }
  if (step == Step::kAsk) {
    co_await self->ask_api(Asking::kFirst);
  } else if (step == Step::kUseAndRenew) {
    net::asio::co_spawn(self->executor_, ask_beside(self), net::asio::detached);
  }
  self->apply_verdict(outcome);
}

net::Awaitable<void> LookupName::ask_api(Asking asking) {
  const auto asked = Clock::now();
  AbsenceVerdict verdict;
  try {
    verdict = co_await completer_->confirm_absence(*plan_.source, plan_.name.tags,
                                                   asked + plan_.timeout * 2);
  } catch (const std::exception& error) {
    verdict.why = error.what();  // the completer is not ours
  }
  // An agent that is busy for a moment, as one that restarts is, takes nothing back by its silence.
  const bool stands = asking == Asking::kAgain && verdict.kind == AbsenceVerdict::Kind::kUntold &&
                      asked - verdict_asked_ < kVerdictStands;
  if (stands) {
    (void)absence_.told(verdict_.kind, Clock::now());
  } else if (absence_.told(verdict.kind, Clock::now())) {
    verdict_ = std::move(verdict);
    verdict_asked_ = asked;
  }
}

net::Awaitable<void> LookupName::ask_beside(std::shared_ptr<LookupName> self) {
  co_await self->ask_api(Asking::kAgain);
  self->gate_.want();
  self->pump(Clock::now());
}

void LookupName::apply_verdict(LookupOutcome& outcome) const {
  using Kind = AbsenceVerdict::Kind;
  auto& answer = outcome.answer;
  const auto note = [&answer](const std::string& text) {
    answer.note += (answer.note.empty() ? "" : "; ") + text;
  };
  const auto dns = "DNS says " + std::string(to_string(answer.result));
  switch (verdict_.kind) {
    case Kind::kUntold: note("the agent's API cannot tell: " + verdict_.why); return;
    case Kind::kAbsent: outcome.confirmed = true; return;
    case Kind::kPresent:
    case Kind::kFailed: break;
  }
  note(dns + ", not believed: " + verdict_.why);
  outcome.by_verdict = true;
  answer.ttl = {};
  answer.transport = Transport::kApi;
  answer.result = verdict_.failure;
  if (verdict_.kind == Kind::kPresent && !verdict_.instances.empty()) {
    outcome.instances = verdict_.instances;
    answer.records = outcome.instances.size();
    answer.result = LookupResult::kOk;
  }
}

void LookupName::finished(LookupOutcome outcome, InstanceSet instances, TimePoint asked) {
  const auto now = Clock::now();
  const auto end = outcome.ran_out                     ? LookupGate::End::kTimedOut
                   : is_failure(outcome.answer.result) ? LookupGate::End::kFailed
                                                       : LookupGate::End::kAnswered;
  const bool was_open = gate_.open();
  // An empty answer's TTL is the zone's business, not the record's: it is not kept longer than 1 s.
  const auto ttl = outcome.answer.result == LookupResult::kOk ? outcome.answer.ttl : Duration{};
  gate_.finish(end, ttl, now);
  if (was_open != gate_.open()) {
    const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(plan_.timeout);
    logger_.warn(was_open ? "connections wait for lookups again: a probe was answered"
                          : "connections no longer wait for lookups: 3 in a row ran out of time; "
                            "one probe a second goes on",
                 {{"name", plan_.name.text},
                  {"result", std::string(to_string(outcome.answer.result))},
                  {"timeout", std::to_string(timeout.count()) + " ms"}});
  }
  keep(std::move(outcome), std::move(instances), asked, now);
  const auto users = users_;  // a hook may stop a resolver
  for (const auto& entry : users) {
    if (const auto user = entry.lock()) {
      user->on_looked_up(*this);
    }
  }
  notifier_.notify_all();
  pump(Clock::now());
}

void LookupName::keep(LookupOutcome outcome, InstanceSet instances, TimePoint asked,
                      TimePoint now) {
  const auto before = state_.answer.result;
  const bool known = state_.known;
  const auto result = outcome.answer.result;
  const bool failed = is_failure(result);
  // The part that came with TC: better than nothing, worse than anything.
  const bool usable = failed && !has_good_ && !instances.empty();
  if (!known || result != before || usable != state_.usable ||
      outcome.confirmed != state_.confirmed || instances != state_.instances) {
    ++state_.revision;
    state_.instances = std::move(instances);
  }
  if (!failed) {
    has_good_ = result == LookupResult::kOk;
  }
  state_.answer = std::move(outcome.answer);
  state_.usable = usable;
  state_.confirmed = outcome.confirmed;
  state_.known = true;
  state_.asked = asked;
  state_.answered = now;
  log_change(before, known);
}

void LookupName::log_change(LookupResult before, bool known) const {
  const bool failed = is_failure(state_.answer.result);
  if (failed != (known && is_failure(before))) {
    // The upstream says what it means for traffic; this is the name's own part of the story.
    logger_.debug(failed ? "lookup failed" : "lookup answers again",
                  {{"name", plan_.name.text},
                   {"result", std::string(to_string(state_.answer.result))},
                   {"note", state_.answer.note}});
  }
}

}  // namespace pilotfish::resolver
