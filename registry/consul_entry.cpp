#include "registry/consul_entry.hpp"

#include <algorithm>

#include "registry/text.hpp"

namespace pilotfish::registry {

ConsulEntry::ConsulEntry(std::shared_ptr<RegistrarContext> context,
                         std::shared_ptr<ConsulAgent> agent, std::string identity)
    : context_(std::move(context)),
      agent_(std::move(agent)),
      identity_(std::move(identity)),
      wake_(context_->executor) {}

void ConsulEntry::want(const Announcement& announcement) {
  announcement_ = announcement;
  ++version_;
  prepared_ = false;
  give_up_.reset();
  withdraw_tries_ = 0;
  backoff_.reset();
  plan_.want(announcement.check.kind == CheckKind::kTtl ? announcement.check.ttl : Duration{});
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
  while (!context_->closing) {
    const auto decision = plan_.next(Clock::now());
    if (decision.step == ConsulPlan::Step::kGone) {
      break;
    }
    if (decision.step == ConsulPlan::Step::kWait) {
      (void)co_await wake_.wait_until(decision.at);
    } else {
      co_await step(decision.step);
    }
  }
}

net::Awaitable<void> ConsulEntry::step(ConsulPlan::Step step) {
  if (step == ConsulPlan::Step::kDeregister) {
    co_await remove();
    co_return;
  }
  const auto version = version_;
  std::string why;
  if (!prepared_) {
    const bool ready = co_await prepare(request_deadline(), why);
    if (!ready) {
      failed(why, false, false);
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
    default: break;
  }
}

net::Awaitable<bool> ConsulEntry::prepare(TimePoint deadline, std::string& why) {
  const auto version = version_;
  ConsulAgent::NodeAddress node;
  if (announcement_.address.empty()) {
    node = co_await agent_->node_address(deadline);
    if (node.address.empty()) {
      why = node.why;
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

net::Awaitable<void> ConsulEntry::ask() {
  auto path = "/v1/agent/health/service/id/" + percent_encode(service_.id) + "?format=json";
  const auto version = version_;
  const auto result = co_await agent_->call("GET", std::move(path), {}, request_deadline());
  if (version != version_) {
    co_return;
  }
  // 429 and 503 are how this address says warning and critical.
  const bool listed = result.ok() || result.status == 429 || result.status == 503;
  const auto known = listed ? decode_agent_health(result.body) : std::nullopt;
  if (!known && result.status != 404) {
    const bool garbage = result.ok();
    failed(garbage ? "the agent's answer is not understood: " + shorten(result.body)
                   : consul_problem(result, service_.name),
           result.answered(), false);
    co_return;
  }
  const auto differs = known ? difference(service_, *known) : std::string("everything");
  plan_.asked(differs.empty(), Clock::now());
  if (differs.empty()) {
    up();
  } else {
    tell(false);
    context_->log(LogLevel::kWarn,
                  known ? "another form of the service is registered; registering it again"
                        : "the agent no longer knows the service; registering it again",
                  {{"service", service_.name}, {"id", service_.id}, {"differs", differs}});
  }
}

net::Awaitable<void> ConsulEntry::announce() {
  const auto version = version_;
  auto body = encode_registration(service_);
  const auto result = co_await put("/v1/agent/service/register?replace-existing-checks=1",
                                   std::move(body), request_deadline());
  if (!result.ok()) {
    failed(consul_problem(result, service_.name), result.answered(),
           !result.answered() && result.sent);
    co_return;
  }
  const bool again = up_;
  plan_.registered(Clock::now());
  if (version != version_) {
    plan_.asked(false, Clock::now());  // what was sent is not what is wanted by now
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
    failed(consul_problem(result, service_.name), result.answered(), false);
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
  } else if (give_up_ && (++withdraw_tries_ >= kWithdrawTries || Clock::now() >= *give_up_)) {
    plan_.deregistered();
    context_->log(LogLevel::kWarn, "not deregistered; remove it with `consul services deregister`",
                  {{"id", service_.id}, {"error", consul_problem(result, service_.name)}});
  } else {
    failed(consul_problem(result, service_.name), result.answered(), true);
  }
  tell(false);
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

void ConsulEntry::failed(const std::string& problem, bool answered, bool perhaps_done) {
  plan_.failed(Clock::now(), backoff_.next(context_->random), perhaps_done);
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

net::Awaitable<bool> ConsulEntry::register_once(const Announcement& announcement,
                                                TimePoint deadline) {
  announcement_ = announcement;
  std::string why;
  bool done = co_await prepare(deadline, why);
  if (done) {
    auto body = encode_registration(service_);
    auto result = co_await put("/v1/agent/service/register?replace-existing-checks=1",
                               std::move(body), deadline);
    const bool beats = service_.check.kind == CheckKind::kTtl;
    if (result.ok() && beats) {
      result =
          co_await put("/v1/agent/check/pass/" + percent_encode(service_.check_id()), {}, deadline);
      context_->log(LogLevel::kWarn,
                    "a ttl check turns critical unless a running sidecar keeps it alive",
                    {{"service", service_.name}});
    }
    done = result.ok();
    why = consul_problem(result, service_.name);
  }
  if (done) {
    context_->log(LogLevel::kInfo, "registered", {{"service", service_.name}, {"id", service_.id}});
  } else {
    context_->log(LogLevel::kError, "not registered",
                  {{"service", announcement_.name}, {"error", why}});
  }
  co_return done;
}

net::Awaitable<bool> ConsulEntry::deregister_once(const Announcement& announcement,
                                                  TimePoint deadline) {
  announcement_ = announcement;
  std::string why;
  bool done = co_await prepare(deadline, why);
  if (done) {
    auto path = "/v1/agent/service/deregister/" + percent_encode(service_.id);
    const auto result = co_await put(std::move(path), {}, deadline);
    done = result.ok() || result.status == 404;
    why = consul_problem(result, service_.name);
  }
  if (done) {
    context_->log(LogLevel::kInfo, "deregistered",
                  {{"service", service_.name}, {"id", service_.id}});
  } else {
    context_->log(LogLevel::kError, "not deregistered",
                  {{"service", announcement_.name}, {"error", why}});
  }
  co_return done;
}

}  // namespace pilotfish::registry
