#include "registry/consul_watcher.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdio>
#include <utility>

#include "registry/consul_agent.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {
namespace {

using resolver::WatchState;

std::string name_of(const resolver::WatchKey& key) {
  return key.datacenter.empty() ? key.service : key.service + " in " + key.datacenter;
}

std::string seconds_text(Duration duration) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1fs",
                      std::chrono::duration<double>(duration).count());
  return text.data();
}

std::string leader_note(const http::ClientResult& result) {
  if (result.header("X-Consul-Knownleader") != "false") {
    return {};
  }
  std::string note = "the registry has no leader: the answer may be old";
  if (const auto contact = result.header("X-Consul-Lastcontact"); !contact.empty()) {
    note += " (last contact " + shorten(contact) + " ms before)";
  }
  return note;
}

/// A 429 that names no time.
constexpr Duration kRefusedFor = std::chrono::seconds(1);

void append(std::string& note, const std::string& text) {
  note += (note.empty() || text.empty() ? "" : "; ") + text;
}

}  // namespace

ConsulWatcher::ConsulWatcher(std::shared_ptr<WatcherContext> context, resolver::WatchKey key)
    : context_(std::move(context)),
      key_(std::move(key)),
      path_(health_path(key_)),
      changed_(context_->executor) {}

void ConsulWatcher::start() {
  net::asio::co_spawn(context_->executor, run(shared_from_this()), net::asio::detached);
}

void ConsulWatcher::stop() {
  over_ = true;
  if (cancel_) {
    cancel_->cancel();
  }
  changed_.notify_all();
}

net::Awaitable<void> ConsulWatcher::run(std::shared_ptr<ConsulWatcher> self) {
  while (!self->over_) {
    const auto now = Clock::now();
    const auto at = self->hangs_ ? TimePoint::max() : self->plan_.next_at(now);
    if (at > now) {
      (void)co_await self->changed_.wait_until(at);
    } else {
      co_await self->ask();
    }
  }
}

http::ClientRequest ConsulWatcher::request_for(const WatchPlan::Query& query) const {
  auto path = path_;
  if (query.index != 0) {
    path += "&index=" + std::to_string(query.index) + "&wait=" + go_duration(query.wait);
  }
  auto request = consul_request(context_->options, "GET", std::move(path));
  request.max_body = kMaxWatchBody;
  request.cancel = cancel_;
  return request;
}

net::Awaitable<void> ConsulWatcher::ask() {
  const auto asked = Clock::now();
  const auto query = plan_.begin(asked);
  if (!context_->target) {
    (void)plan_.failed(WatchPlan::kRetryAfterMax, asked, context_->random);
    fail(LookupResult::kUnreachable, context_->options.url + ": not an address of an agent", {});
    co_return;
  }
  const auto cancel = std::make_shared<http::ClientCancel>();
  cancel_ = cancel;
  auto request = request_for(query);
  const auto deadline = asked + query.limit;
  const auto result =
      co_await http::fetch(context_->executor, *context_->target, std::move(request), deadline);
  if (!cancel->cancelled()) {
    take(query, asked, result);
  }
}

void ConsulWatcher::take(const WatchPlan::Query& query, TimePoint asked,
                         const http::ClientResult& result) {
  const auto now = Clock::now();
  if (result.answered()) {
    context_->heard = now;
  }
  auto judgement =
      judge_listing(result, key_, !context_->options.token.empty(), context_->only_passing);
  if (!judgement.listing) {
    take_setback(judgement, result, now - asked);
    return;
  }
  const auto& listing = *judgement.listing;
  WatchPlan::Answer answer;
  answer.index = parse_index(result.header("X-Consul-Index"));
  answer.body_bytes = result.body.size();
  answer.streamed = result.header("X-Consul-Query-Backend") == "streaming";
  answer.same = instances_ && *instances_ == listing.instances && *details_ == listing.details &&
                named_ == listing.named;
  answer.lost = instances_ && loses_any(*instances_, listing);
  const bool direct = query.index == 0 || !answer.streamed;
  const auto verdict = plan_.answered(answer, now);
  if (query.index != 0) {
    blocking_works();
  }
  if (direct) {
    leader_note_ = leader_note(result);  // the agent's own view never knows a leader
  }
  if (verdict != WatchPlan::Verdict::kBelieve) {
    return;
  }
  WatchState state;
  state.note = leader_note_;
  state.answered = now;
  // A query that waited reads what it answers at its end.
  state.asked = query.index == 0 ? asked : now;
  state.took = query.index == 0 ? now - asked : Duration{};
  take_listing(std::move(state), std::move(*judgement.listing));
}

void ConsulWatcher::take_listing(WatchState state, HealthListing listing) {
  say_what_is_odd(listing);
  if (listing.skipped != 0) {
    append(state.note, skipped_text(listing.skipped));
  }
  const bool same = instances_ && *instances_ == listing.instances && *details_ == listing.details;
  if (!same) {
    instances_ = std::make_shared<const InstanceList>(std::move(listing.instances));
    details_ =
        std::make_shared<const std::vector<resolver::InstanceDetail>>(std::move(listing.details));
  }
  named_ = listing.named;
  state.left_to_dns = named_ != 0;
  state.up = !state.left_to_dns;
  if (state.up) {
    state.instances = instances_;
    state.details = details_;
  } else {
    state.problem = named_text(named_);
  }
  if (failed_at_) {
    if (context_->logger != nullptr && !failed_quietly_) {
      context_->logger->info("Consul watch is back",
                             {{"service", name_of(key_)},
                              {"after", seconds_text(state.answered - *failed_at_)},
                              {"instances", std::to_string(instances_->size())}});
    }
    failed_at_.reset();
    if (context_->back) {
      context_->back();
    }
  }
  const bool news = !last_ || last_->up != state.up || last_->problem != state.problem ||
                    (state.up && (!same || last_->note != state.note));
  if (news || (state.up && state.answered - last_->answered >= kConfirmEvery)) {
    publish(std::move(state));
  }
}

void ConsulWatcher::say_what_is_odd(const HealthListing& listing) {
  if (context_->logger != nullptr && listing.named != 0 && named_ == 0) {
    context_->logger->info("DNS serves this service instead of the watch",
                           {{"service", name_of(key_)}, {"reason", named_text(listing.named)}});
  }
  if (context_->logger != nullptr && listing.skipped > skipped_) {
    context_->logger->warn("instances of a watched service cannot be used",
                           {{"service", name_of(key_)}, {"reason", skipped_text(listing.skipped)}});
  }
  skipped_ = listing.skipped;
}

void ConsulWatcher::blocking_works() {
  if (std::exchange(polled_, false) && context_->logger != nullptr) {
    context_->logger->info("Consul answers blocking queries again", {{"service", name_of(key_)}});
  }
}

void ConsulWatcher::take_setback(const ListingJudgement& judgement,
                                 const http::ClientResult& result, Duration took) {
  auto told = parse_retry_after(result.header("Retry-After"));
  const bool refused = result.status == 429;
  if (refused) {
    told = std::max(told.value_or(kRefusedFor), kRefusedFor);
  }
  const auto setback = plan_.failed(told, Clock::now(), context_->random);
  if (setback == WatchPlan::Setback::kPolls && !std::exchange(polled_, true) &&
      context_->logger != nullptr) {
    context_->logger->warn("Consul fails blocking queries alone; the service is polled meanwhile",
                           {{"service", name_of(key_)}, {"error", judgement.problem}});
  }
  if (setback == WatchPlan::Setback::kDown) {
    // Whoever answers for all watches says it once for all of them.
    const bool crowded = is_crowded(result) && context_->crowded;
    fail(judgement.failure, judgement.problem, took, crowded);
    if (crowded) {
      context_->crowded();
    }
  }
}

void ConsulWatcher::fail(LookupResult failure, const std::string& problem, Duration took,
                         bool quiet) {
  if (failed_at_) {
    return;
  }
  failed_at_ = Clock::now();
  failed_quietly_ = quiet;
  polled_ = false;
  if (context_->logger != nullptr && !quiet) {
    context_->logger->warn("Consul watch failed; lookups over DNS serve until it is back",
                           {{"service", name_of(key_)}, {"error", problem}});
  }
  WatchState state;
  state.failure = failure;
  state.problem = problem;
  state.answered = *failed_at_;
  state.took = took;
  publish(std::move(state));
}

void ConsulWatcher::publish(WatchState state) {
  last_ = std::make_shared<const WatchState>(std::move(state));
  if (context_->publish && !over_) {
    context_->publish(key_, last_);
  }
}

void ConsulWatcher::agent_hangs(const std::string& problem) {
  hangs_ = true;
  if (cancel_) {
    cancel_->cancel();
  }
  fail(LookupResult::kTimeout, problem, {});
}

void ConsulWatcher::begin_anew() {
  if (cancel_) {
    cancel_->cancel();
  }
  plan_.begin_anew(Clock::now());
  hangs_ = false;
  changed_.notify_all();
}

void ConsulWatcher::look_again() {
  if (cancel_) {
    cancel_->cancel();
  }
  plan_.retry_now(Clock::now());
  changed_.notify_all();
}

void ConsulWatcher::agent_answers() {
  hangs_ = false;
  plan_.retry_now(Clock::now());
  changed_.notify_all();
}

}  // namespace pilotfish::registry
