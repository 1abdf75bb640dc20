#include "registry/consul_entry.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "registry/check_probe.hpp"
#include "registry/consul_watch_plan.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {

ConsulEntry::ConsulEntry(std::shared_ptr<RegistrarContext> context,
                         std::shared_ptr<ConsulAgent> agent, std::string identity)
    : context_(std::move(context)),
      agent_(std::move(agent)),
      identity_(std::move(identity)),
      wake_(context_->executor),
      probe_wake_(context_->executor) {}

void ConsulEntry::wake() {
  wake_.notify_all();
  probe_wake_.notify_all();
}

void ConsulEntry::want(const Announcement& announcement) {
  announcement_ = announcement;
  ++version_;
  prepared_ = false;
  give_up_.reset();
  withdraw_tries_ = 0;
  backoff_.reset();
  const auto& check = announcement.check;
  ConsulPlan::Check wanted;
  wanted.ttl = check.kind == CheckKind::kTtl ? check.ttl : Duration{};
  wanted.probed = check.kind == CheckKind::kHttp || check.kind == CheckKind::kTcp;
  wanted.interval = check.interval;
  wanted.deregister_after = check.deregister_after;
  plan_.want(wanted, Clock::now());
  wake();
}

void ConsulEntry::withdraw(std::optional<TimePoint> give_up) {
  give_up_ = give_up;
  withdraw_tries_ = 0;
  backoff_.reset();
  plan_.withdraw();
  wake();
}

TimePoint ConsulEntry::request_deadline() const {
  const auto usual = Clock::now() + kRequestTimeout;
  return give_up_ ? std::min(usual, *give_up_) : usual;
}

net::Awaitable<void> ConsulEntry::run() {
  net::asio::co_spawn(
      context_->executor, [self = shared_from_this()] { return self->probe_loop(); },
      net::asio::detached);
  while (!context_->closing) {
    const bool held = plan_.held();
    const auto decision = plan_.next(Clock::now());
    tell_of_holding(held);
    probe_wake_.notify_all();
    if (decision.step == ConsulPlan::Step::kGone) {
      break;
    }
    if (decision.step == ConsulPlan::Step::kWait) {
      (void)co_await wake_.wait_until(std::min(decision.at, Clock::now() + std::chrono::hours(1)));
    } else {
      co_await step(decision.step);
    }
  }
  ended_ = true;
  probe_wake_.notify_all();
}

net::Awaitable<void> ConsulEntry::probe_loop() {
  while (!ended_ && !context_->closing) {
    const auto began = Clock::now();
    const auto at = plan_.probe_at();
    if (began < at) {
      (void)co_await probe_wake_.wait_until(std::min(at, began + std::chrono::hours(1)));
      continue;
    }
    const auto version = version_;
    const auto found = co_await probe(context_->executor, announcement_.check);
    if (ended_ || context_->closing) {
      break;
    }
    if (version == version_) {
      const bool held = plan_.held();
      verdict_ = found.why;
      plan_.probed(found.verdict, began, Clock::now());
      tell_of_holding(held);
      wake_.notify_all();
    }
  }
}

net::Awaitable<void> ConsulEntry::step(ConsulPlan::Step step) {
  if (step == ConsulPlan::Step::kDeregister) {
    co_await remove();
    co_return;
  }
  if (!plan_.wanted()) {
    co_await ask();  // whose it is
    co_return;
  }
  const auto version = version_;
  if (!prepared_) {
    ConsulAgent::NodeAddress node;
    const bool ready = co_await prepare(request_deadline(), node);
    if (!ready) {
      failed(node.result, node.why, false);
      co_return;
    }
  }
  if (version != version_ || !plan_.wanted() || context_->closing) {
    co_return;
  }
  switch (step) {
    case ConsulPlan::Step::kAsk: co_await ask(); break;
    case ConsulPlan::Step::kRegister: co_await announce(); break;
    case ConsulPlan::Step::kPass: co_await pass(); break;
    case ConsulPlan::Step::kDropCheck: co_await drop_check(); break;
    default: break;
  }
}

net::Awaitable<bool> ConsulEntry::prepare(TimePoint deadline, ConsulAgent::NodeAddress& failed) {
  const auto version = version_;
  ConsulAgent::NodeAddress node;
  if (announcement_.address.empty()) {
    node = co_await agent_->node_address(deadline);
    if (node.address.empty()) {
      failed = std::move(node);
      co_return false;
    }
  }
  if (version == version_) {
    service_ = consul_service(announcement_, node.address);
    prepared_ = true;
  }
  co_return true;
}

net::Awaitable<http::ClientResult> ConsulEntry::put(std::string path, std::string body,
                                                    TimePoint deadline) {
  auto result = co_await agent_->call("PUT", std::move(path), std::move(body), deadline);
  co_return result;
}

net::Awaitable<http::ClientResult> ConsulEntry::look(std::optional<KnownService>& known,
                                                     TimePoint deadline) {
  auto path = "/v1/agent/health/service/id/" + percent_encode(service_.id) + "?format=json";
  auto result = co_await agent_->call("GET", std::move(path), {}, deadline);
  // 429 and 503 are how this address says warning and critical; an agent that is too busy says 429
  // too, but describes nothing.
  if (result.ok() || result.status == 429 || result.status == 503) {
    known = decode_agent_health(result.body);
  }
  co_return result;
}

net::Awaitable<void> ConsulEntry::ask() {
  const auto version = version_;
  std::optional<KnownService> known;
  const auto result = co_await look(known, request_deadline());
  if (version != version_) {
    co_return;
  }
  if (known || result.status == 404) {
    judge(known);
  } else if (!plan_.wanted()) {
    withdrawal_failed(result);
  } else {
    failed(result,
           result.ok() ? "the agent's answer is not understood: " + shorten(result.body)
                       : consul_problem(result, service_.name),
           false);
  }
}

/// What the agent knows, as far as the plan wants to know it, and a word to people about it.
void ConsulEntry::judge(const std::optional<KnownService>& known) {
  using What = ConsulPlan::Known::What;
  ConsulPlan::Known found;
  std::string differs;
  if (known) {
    differs = difference(service_, *known);
    const bool anothers = !known->owner.empty() && known->owner != context_->owner;
    found.what = anothers ? What::kAnothers : differs.empty() ? What::kAsWanted : What::kOtherForm;
    found.critical = known->critical(service_.check_id());
  }
  const bool superseded = plan_.superseded();
  const bool held = plan_.held();
  const bool wanted = plan_.wanted();
  plan_.asked(found, Clock::now());
  tell_of_holding(held);
  if (found.what == What::kAnothers) {
    if (!superseded) {
      context_->log(LogLevel::kInfo, "another process announces the service now; left to it",
                    {{"service", service_.name}, {"id", service_.id}});
    }
    backoff_.reset();
    problem_.clear();
    up_ = wanted;
    tell(wanted);
    return;
  }
  if (!wanted || plan_.held()) {
    return;
  }
  if (found.what == What::kAsWanted) {
    up();
    return;
  }
  tell(false);
  context_->log(LogLevel::kWarn,
                known ? "another form of the service is registered; registering it again"
                      : "the agent no longer knows the service; registering it again",
                {{"service", service_.name},
                 {"id", service_.id},
                 {"differs", known ? differs : std::string("everything")}});
}

void ConsulEntry::tell_of_holding(bool held_before) {
  if (plan_.held() == held_before) {
    return;
  }
  if (plan_.held()) {
    context_->log(LogLevel::kWarn,
                  "critical for `deregister_after`; withdrawn until its check's address answers",
                  {{"service", service_.name},
                   {"id", service_.id},
                   {"error", verdict_.empty() ? "by the agent's check" : verdict_}});
    up_ = false;
    tell(false);
  } else if (plan_.wanted()) {
    context_->log(LogLevel::kInfo, "its check's address answers again; announcing it",
                  {{"service", service_.name}, {"id", service_.id}});
  }
}

net::Awaitable<void> ConsulEntry::announce() {
  const auto version = version_;
  auto body = encode_registration(service_, context_->owner, plan_.passing());
  const auto result = co_await put("/v1/agent/service/register?replace-existing-checks=1",
                                   std::move(body), request_deadline());
  if (!result.ok()) {
    failed(result, !result.answered() && result.sent);
    co_return;
  }
  const bool again = up_;
  plan_.registered(Clock::now());
  if (version != version_) {
    // What was sent is not what is wanted by now.
    plan_.asked({ConsulPlan::Known::What::kOtherForm, false}, Clock::now());
  }
  up();
  if (again) {
    context_->log(LogLevel::kInfo, "registered again",
                  {{"service", service_.name}, {"id", service_.id}});
  }
}

net::Awaitable<void> ConsulEntry::pass() {
  const auto result = co_await put("/v1/agent/check/pass/" + percent_encode(service_.check_id()),
                                   {}, request_deadline());
  if (result.ok()) {
    plan_.passed(Clock::now());
    up();
  } else if (result.status == 404 || result.body.find("nknown check") != std::string::npos) {
    plan_.pass_unknown();
  } else {
    failed(result, false);
  }
}

net::Awaitable<void> ConsulEntry::drop_check() {
  const auto version = version_;
  const auto result = co_await put(
      "/v1/agent/check/deregister/" + percent_encode(service_.check_id()), {}, request_deadline());
  if (version != version_) {
    co_return;
  }
  if (result.ok() || result.status == 404) {
    plan_.check_dropped();
  } else {
    failed(result, false);
  }
}

net::Awaitable<void> ConsulEntry::remove() {
  auto path = "/v1/agent/service/deregister/" + percent_encode(service_.id);
  const auto result = co_await put(std::move(path), {}, request_deadline());
  if (result.ok() || result.status == 404) {
    plan_.deregistered();
    up_ = false;
    context_->log(LogLevel::kInfo, "deregistered",
                  {{"service", service_.name}, {"id", service_.id}});
    tell(false);
  } else {
    withdrawal_failed(result);
  }
}

void ConsulEntry::withdrawal_failed(const http::ClientResult& result) {
  if (give_up_ && (++withdraw_tries_ >= kWithdrawTries || Clock::now() >= *give_up_)) {
    plan_.deregistered();
    context_->log(LogLevel::kWarn, "not deregistered; remove it with `consul services deregister`",
                  {{"id", service_.id}, {"error", consul_problem(result, service_.name)}});
    tell(false);
  } else {
    failed(result, true);
  }
}

void ConsulEntry::tell(bool up) {
  if (context_->report) {
    context_->report(identity_, up);
  }
}

void ConsulEntry::up() {
  backoff_.reset();
  if (!up_ || !problem_.empty()) {
    context_->log(LogLevel::kInfo, "registered", {{"service", service_.name}, {"id", service_.id}});
  }
  up_ = true;
  problem_.clear();
  tell(true);
}

void ConsulEntry::failed(const http::ClientResult& result, bool perhaps_done) {
  failed(result, consul_problem(result, service_.name), perhaps_done);
}

void ConsulEntry::failed(const http::ClientResult& result, const std::string& problem,
                         bool perhaps_done) {
  const bool answered = result.answered();
  auto retry_in = backoff_.next(context_->random);
  if (!answered) {
    retry_in = std::min(retry_in, kUnreachableMax);
  }
  if (const auto ttl = announcement_.check.ttl; ttl > Duration::zero()) {
    retry_in = std::min(retry_in, std::max<Duration>(ttl / 3, kBackoffBase / 2));
  }
  const auto told = parse_retry_after(result.header("Retry-After")).value_or(Duration::zero());
  retry_in = std::max(retry_in, std::min(told, WatchPlan::kRetryAfterMax));
  plan_.failed(Clock::now(), retry_in, perhaps_done);
  // An agent that cannot be reached is the ConsulAgent's news, not that of each service.
  if (answered && problem != problem_) {
    context_->log(LogLevel::kError, plan_.wanted() ? "not registered" : "not deregistered",
                  {{"service", announcement_.name}, {"error", problem}});
  }
  if (answered) {
    problem_ = problem;
  }
  up_ = false;
  tell(false);
}

}  // namespace pilotfish::registry
