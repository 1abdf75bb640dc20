#include "proxy/tcp_session.hpp"

#include <algorithm>
#include <utility>

#include "proxy/hash_key.hpp"
#include "proxy/pause.hpp"

namespace pilotfish::proxy {

using balancer::Outcome;

namespace {

std::string describe(const Opened& opened) {
  switch (opened.error) {
    case OpenError::kConnect:
    case OpenError::kTimeout: return opened.text;
    case OpenError::kQueueFull: return "limits.connections and limits.pending are reached";
    case OpenError::kQueueTimeout: return "limits.connections is reached, none became free in time";
    case OpenError::kDescriptors: return "no free file descriptor: raise its limit (ulimit -n)";
    case OpenError::kNoLocalPort:
      return "no free local port towards it (net.ipv4.ip_local_port_range)";
    case OpenError::kInstanceLost:
    case OpenError::kCalledOff: break;
  }
  return "";
}

}  // namespace

TcpSession::TcpSession(std::shared_ptr<Worker> worker, std::shared_ptr<Upstream> upstream,
                       ClientStream client)
    : worker_(std::move(worker)),
      upstream_(std::move(upstream)),
      client_endpoint_(client.remote()),
      client_(std::move(client)),
      in_(worker_->buffers),
      arrived_(Clock::now()),
      claim_(upstream_->claim(arrived_)) {
  ++upstream_->clients;
  ++upstream_->active;
  worker_->session_started(*this);
}

TcpSession::~TcpSession() {
  client_.close();
  connection_.reset();
  --upstream_->clients;
  --upstream_->active;
  unlink();
  worker_->session_ended();
}

void TcpSession::cut() {
  cut_ = true;
  // A FIN would make a cut look like an end, to either of them.
  client_.reset();
  opening_.call_off();
  if (connection_) {
    connection_->stream.reset();
  }
}

net::Awaitable<void> TcpSession::run(std::unique_ptr<TcpSession> self) {
  co_await self->serve();
}

net::Awaitable<void> TcpSession::serve() {
  upstream_->budget().on_request(arrived_);
  if (client_.watch(*this, net::HangUp::kReset)) {
    left_ = cut_ = true;
  }
  if (!cut_ && !upstream_->is_covered(claim_)) {
    co_await upstream_->covered(std::move(claim_), cut_);
  }
  bool connected = false;
  if (!cut_) {
    connected = co_await connect();
  }
  client_.unwatch();
  if (!connected || cut_) {
    error_ = left_ ? std::string_view("client_gone") : cut_ ? "drain_ended" : error_;
    client_.reset();  // no byte was carried: an RST says so
    log_refusal();
    log_end(error_, {});
    co_return;
  }
  RelayCount count;
  count.up = [this](std::uint64_t n) { upstream_->metrics().sent(n); };
  count.down = [this](std::uint64_t n) { upstream_->metrics().received(n); };
  Relay<ClientStream, UpstreamStream> relay(*worker_, client_, in_, connection_->stream,
                                            connection_->in, upstream_->options().idle_timeout,
                                            std::move(count));
  const RelayEnd end = co_await relay.run();
  // What broke here may be the client's doing as well: it says nothing about the instance.
  finish(end.broken ? Outcome::kNeutral : Outcome::kSuccess);
  if (end.broken) {
    client_.reset();
    connection_->stream.reset();
  }
  log_end(end.idle ? "idle_timeout" : end.broken ? "connection_terminated" : "", end);
}

net::Awaitable<bool> TcpSession::connect() {
  std::uint32_t retries = 0;
  const auto wanted = upstream_->draw_share();
  const auto turn = upstream_->tiers_turn();
  std::uint32_t pauses = 0;
  bool paused = true;
  for (;;) {
    const auto now = Clock::now();
    balancer::PickContext context;
    context.now = now;
    context.wanted = turn == upstream_->tiers_turn() ? wanted : 0;
    context.tried = {tried_.data(), tried_count_};
    if (uses_hash(upstream_->options().cluster.algorithm)) {
      context.hash = hash_source(client_endpoint_);
    }
    auto* chosen = upstream_->pick(context);
    if (chosen == nullptr) {
      error_ = "destination_unavailable";
      co_return false;
    }
    const bool tried = std::ranges::find(context.tried, chosen) != context.tried.end();
    if (!std::exchange(paused, true) && balancer::waits_first(retries, tried)) {
      const auto time =
          balancer::retry_pause(upstream_->options().retry.backoff, pauses++, worker_->random);
      opening_.give_up();  // others need not wait for the end of the pause
      const bool goes_on = co_await pause_for(worker_->executor, cut_, now + time);
      if (!goes_on) {
        co_return false;
      }
      continue;  // with whoever serves by then
    }
    instance_ = balancer::InstanceRef(chosen);
    picked_ = upstream_->picked(
        *chosen, {wanted == 0 ? Wish::kNone : Wish::kShare, context.wanted, 0, tried_count_ > 0});
    ++tries_;
    upstream_->try_started(*chosen, now);
    Opened opened = co_await upstream_->open(*chosen, opening_);
    if (opened.connection) {
      connection_ = std::move(opened.connection);
      upstream_->reached(*chosen, Clock::now());
      co_return !cut_;
    }
    why_ = describe(opened);
    const bool refused = opened.error == OpenError::kConnect || opened.error == OpenError::kTimeout;
    const auto outcome = refused ? Outcome::kConnectFailure : Outcome::kNeutral;
    if (opened.error != OpenError::kInstanceLost) {
      log_try(outcome, Clock::now() - now);
    }
    upstream_->try_finished(*chosen, outcome, Clock::now() - now, Clock::now());
    if (cut_) {
      co_return false;
    }
    if (opened.error == OpenError::kInstanceLost) {
      --tries_;  // nothing was tried
      continue;
    }
    const bool ours =
        opened.error == OpenError::kDescriptors || opened.error == OpenError::kNoLocalPort;
    error_ = opened.error == OpenError::kTimeout ? "connection_timeout"
             : refused                           ? "connection_refused"
             : ours                              ? "proxy_internal_error"
                                                 : "connection_limit_reached";
    const bool elsewhere = refused || opened.error == OpenError::kNoLocalPort;
    if (!elsewhere || !another_try(retries)) {
      co_return false;
    }
    paused = false;
  }
}

bool TcpSession::another_try(std::uint32_t& retries) {
  balancer::RetryQuestion question;
  question.cause = balancer::RetryCause::kConnect;
  question.retries_so_far = retries;
  const auto verdict = upstream_->decide_retry(question, Clock::now());
  if (verdict != balancer::RetryVerdict::kOtherInstance &&
      verdict != balancer::RetryVerdict::kFreshConnection) {
    return false;
  }
  ++retries;
  if (tried_count_ < kMostTried) {
    tried_refs_[tried_count_] = instance_;
    tried_[tried_count_++] = instance_.get();
  }
  return true;
}

void TcpSession::log_refusal() {
  if (cut_ || error_.empty()) {
    return;
  }
  std::string why(error_ == "destination_unavailable" ? upstream_->reason() : why_);
  if (instance_) {
    why += "; instance " + instance_->name + ", " + std::to_string(tries_) +
           (tries_ == 1 ? " try" : " tries");
  }
  worker_->trouble.say(LogLevel::kWarn, upstream_->options().name,
                       "closed a connection: " + std::string(error_), std::move(why),
                       {{"client", client_endpoint_.to_string()}});
}

void TcpSession::finish(Outcome outcome) {
  const auto now = Clock::now();
  log_try(outcome, now - arrived_);
  upstream_->try_finished(*instance_, outcome, now - arrived_, now);
}

void TcpSession::log_try(Outcome outcome, Duration took) const {
  if (worker_->shared.log_tries) {
    Upstream::TryLine line;
    line.number = tries_;
    line.tier = picked_.tier;
    line.outcome = outcome;
    line.took = took;
    upstream_->log_try(*instance_, line);
  }
}

void TcpSession::log_end(std::string_view error, const RelayEnd& end) {
  auto* log = worker_->shared.access_log;
  if (log == nullptr) {
    return;
  }
  AccessRecord record;
  std::string room;
  record.upstream = upstream_->options().name;
  record.client = client_endpoint_;
  record.bytes_in = end.up;
  record.bytes_out = end.down;
  record.duration = Clock::now() - arrived_;
  upstream_->describe_pick(record, instance_.get(), picked_, room);
  record.tries = tries_;
  record.error = error;
  log->log(record);
}

}  // namespace pilotfish::proxy
