#include "registry/etcd_entry.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "registry/check_probe.hpp"
#include "registry/etcd_codec.hpp"
#include "registry/skydns.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {

EtcdEntry::EtcdEntry(std::shared_ptr<RegistrarContext> context, std::shared_ptr<EtcdClient> etcd,
                     std::string identity)
    : context_(std::move(context)),
      etcd_(std::move(etcd)),
      identity_(std::move(identity)),
      wake_(context_->executor),
      check_wake_(context_->executor) {}

void EtcdEntry::wake() {
  wake_.notify_all();
  check_wake_.notify_all();
}

void EtcdEntry::want(const Announcement& announcement) {
  const bool new_lease = announcement.lease != announcement_.lease;
  announcement_ = announcement;
  prepared_ = false;
  give_up_.reset();
  withdraw_tries_ = 0;
  backoff_.reset();
  plan_.want(new_lease);
  const auto version = ++version_;
  net::asio::co_spawn(
      context_->executor,
      [self = shared_from_this(), version, check = announcement.check] {
        return self->check_loop(version, check);
      },
      net::asio::detached);
  wake();
}

void EtcdEntry::withdraw(std::optional<TimePoint> give_up) {
  give_up_ = give_up;
  withdraw_tries_ = 0;
  backoff_.reset();
  ++version_;
  plan_.withdraw();
  wake();
}

TimePoint EtcdEntry::request_deadline() const {
  const auto usual = Clock::now() + kRequestTimeout;
  return give_up_ ? std::min(usual, *give_up_) : usual;
}

net::Awaitable<void> EtcdEntry::check_loop(std::uint64_t version, CheckOptions check) {
  bool first = true;
  const bool repeats = check.kind == CheckKind::kHttp || check.kind == CheckKind::kTcp;
  const auto interval = std::max(check.interval, Duration(std::chrono::milliseconds(50)));
  while (!context_->closing) {
    const auto began = Clock::now();
    const auto found = co_await probe(context_->executor, check);
    if (version != version_ || context_->closing) {
      co_return;
    }
    const bool healthy = found.verdict == Verdict::kPassing;
    if (repeats && (first || healthy != plan_.healthy())) {
      context_->log(
          healthy ? LogLevel::kInfo : LogLevel::kWarn,
          healthy ? "check passes" : "check fails; the record is withdrawn until it passes",
          {{"service", announcement_.name}, {"error", found.why}});
    }
    first = false;
    plan_.set_healthy(healthy);
    wake_.notify_all();
    while (repeats && version == version_ && !context_->closing &&
           Clock::now() < began + interval) {
      (void)co_await check_wake_.wait_until(began + interval);
    }
    if (!repeats || version != version_) {
      co_return;
    }
  }
}

net::Awaitable<void> EtcdEntry::run() {
  while (!context_->closing) {
    const auto decision = plan_.next(Clock::now());
    if (decision.step == EtcdPlan::Step::kGone) {
      break;
    }
    if (decision.step == EtcdPlan::Step::kWait) {
      (void)co_await wake_.wait_until(std::min(decision.at, Clock::now() + std::chrono::hours(1)));
    } else {
      co_await step(decision.step);
    }
  }
}

net::Awaitable<void> EtcdEntry::step(EtcdPlan::Step step) {
  if (step == EtcdPlan::Step::kWithdraw) {
    co_await remove();
    co_return;
  }
  if (!prepared_) {
    std::string why;
    const bool ready = co_await prepare(request_deadline(), why);
    if (!ready) {
      failed(why, true, false);
      co_return;
    }
  }
  switch (step) {
    case EtcdPlan::Step::kGrant: co_await grant(); break;
    case EtcdPlan::Step::kPut: co_await put(); break;
    case EtcdPlan::Step::kKeepAlive: co_await keep_alive(); break;
    case EtcdPlan::Step::kVerify: co_await verify(); break;
    default: break;
  }
}

net::Awaitable<bool> EtcdEntry::prepare(TimePoint deadline, std::string& why) {
  if (host_.empty() && announcement_.address.empty()) {
    host_ = co_await etcd_->local_address(deadline);
    if (host_.empty()) {
      why = "no route to an etcd endpoint tells this machine's address; set `address`";
      co_return false;
    }
    const auto address = IpAddress::parse(host_);
    if (address && address->is_loopback() && plan_.wanted()) {
      context_->log(LogLevel::kWarn,
                    "announced with a loopback address, as etcd is on this machine: other machines "
                    "cannot reach it; set `address`",
                    {{"service", announcement_.name}, {"address", host_}});
    }
  }
  const auto& host = announcement_.address.empty() ? host_ : announcement_.address;
  key_ = skydns_key(context_->options.etcd.prefix, announcement_.srv,
                    service_id(announcement_.name, host, announcement_.port));
  value_ = skydns_value(announcement_, host);
  why = "`srv` names nothing";
  prepared_ = !key_.empty();
  co_return prepared_;
}

net::Awaitable<http::ClientResult> EtcdEntry::post(std::string path, std::string body) {
  auto result = co_await etcd_->post(std::move(path), std::move(body), request_deadline());
  co_return result;
}

net::Awaitable<void> EtcdEntry::grant() {
  const auto wanted = announcement_.lease;
  const auto result = co_await post("/v3/lease/grant", etcd::encode_grant(wanted));
  const auto lease = result.ok() ? etcd::decode_grant(result.body) : std::nullopt;
  if (lease && wanted == announcement_.lease) {
    plan_.granted(lease->id, lease->ttl, Clock::now());
  } else if (!lease) {
    failed(result, false);
  }
}

net::Awaitable<void> EtcdEntry::put() {
  const auto version = version_;
  const auto lease = plan_.lease().value_or(0);
  const auto result = co_await post("/v3/kv/put", etcd::encode_put(key_, value_, lease));
  if (etcd::is_lease_gone(result.status, result.body)) {
    plan_.lease_lost();
    co_return;
  }
  if (!result.ok()) {
    failed(result, result.sent);
    co_return;
  }
  plan_.put_done();
  if (version != version_ && plan_.wanted()) {
    plan_.verified(false);  // what was put is not what is wanted by now
  }
  backoff_.reset();
  if (!announced_ || !problem_.empty()) {
    context_->log(LogLevel::kInfo, "registered", {{"service", announcement_.name}, {"key", key_}});
  }
  announced_ = true;
  problem_.clear();
  tell(true);
  // Only once the record is under its new lease: revoking deletes what is still under the old one.
  const auto old = version == version_ ? plan_.take_old_lease() : std::nullopt;
  if (old) {
    (void)co_await post("/v3/lease/revoke", etcd::encode_lease(*old));
  }
}

net::Awaitable<void> EtcdEntry::keep_alive() {
  const auto lease = plan_.lease().value_or(0);
  const auto result = co_await post("/v3/lease/keepalive", etcd::encode_lease(lease));
  const auto left = result.ok() ? etcd::decode_keepalive(result.body) : std::nullopt;
  if ((left && *left == Duration::zero()) || etcd::is_lease_gone(result.status, result.body)) {
    plan_.lease_lost();
    tell(false);
    context_->log(LogLevel::kWarn, "the lease is gone; granting a new one",
                  {{"service", announcement_.name}, {"key", key_}});
  } else if (left) {
    backoff_.reset();
    plan_.kept(Clock::now());
  } else {
    failed(result, false);
  }
}

net::Awaitable<void> EtcdEntry::verify() {
  const auto version = version_;
  const auto lease = plan_.lease();
  const auto result = co_await post("/v3/kv/range", etcd::encode_key(key_));
  const auto records = result.ok() ? etcd::decode_range(result.body) : std::nullopt;
  if (!records) {
    failed(result, false);
    co_return;
  }
  if (version != version_) {
    co_return;
  }
  const bool same = records->size() == 1 && records->front().value == value_ &&
                    records->front().lease == lease.value_or(0);
  plan_.verified(same);
  if (same) {
    problem_.clear();
    announced_ = true;
    tell(true);
  } else {
    context_->log(LogLevel::kWarn, "the record is gone or not ours any more; putting it again",
                  {{"service", announcement_.name}, {"key", key_}});
  }
}

net::Awaitable<void> EtcdEntry::remove() {
  auto result = co_await post("/v3/kv/deleterange", etcd::encode_key(key_));
  if (const auto lease = plan_.lease(); result.ok() && lease) {
    // The record is gone already: a lease that cannot be revoked just runs out.
    (void)co_await post("/v3/lease/revoke", etcd::encode_lease(*lease));
  }
  if (result.ok()) {
    plan_.withdrawn();
    backoff_.reset();
    context_->log(LogLevel::kInfo, "deregistered",
                  {{"service", announcement_.name}, {"key", key_}});
  } else if (give_up_ && (++withdraw_tries_ >= kWithdrawTries || Clock::now() >= *give_up_)) {
    plan_.withdrawn();
    context_->log(LogLevel::kWarn, "not deregistered; the record goes when its lease ends",
                  {{"key", key_}, {"error", etcd_problem(result)}});
  } else {
    failed(result, true);
  }
  announced_ = false;
  tell(false);
}

void EtcdEntry::tell(bool up) {
  if (context_->report) {
    context_->report(identity_, up);
  }
}

void EtcdEntry::failed(const http::ClientResult& result, bool perhaps_done) {
  failed(result.ok() ? "etcd's answer is not understood: " + shorten(result.body)
                     : etcd_problem(result),
         result.answered(), perhaps_done);
}

void EtcdEntry::failed(const std::string& problem, bool answered, bool perhaps_done) {
  plan_.failed(Clock::now(), backoff_.next(context_->random), perhaps_done);
  // An etcd that cannot be reached is the EtcdClient's news, not that of each record.
  if (answered && problem != problem_) {
    context_->log(LogLevel::kError, plan_.wanted() ? "not registered" : "not deregistered",
                  {{"service", announcement_.name}, {"error", problem}});
  }
  if (answered) {
    problem_ = problem;
  }
  announced_ = false;
  tell(false);
}

net::Awaitable<bool> EtcdEntry::register_once(const Announcement& announcement,
                                              TimePoint deadline) {
  announcement_ = announcement;
  give_up_ = deadline;
  std::string why;
  bool done = co_await prepare(deadline, why);
  if (done) {
    const auto result = co_await post("/v3/kv/put", etcd::encode_put(key_, value_, 0));
    done = result.ok();
    why = etcd_problem(result);
  }
  context_->log(done ? LogLevel::kInfo : LogLevel::kError, done ? "registered" : "not registered",
                {{"service", announcement_.name}, {done ? "key" : "error", done ? key_ : why}});
  co_return done;
}

net::Awaitable<bool> EtcdEntry::deregister_once(const Announcement& announcement,
                                                TimePoint deadline) {
  announcement_ = announcement;
  give_up_ = deadline;
  std::string why;
  bool done = co_await prepare(deadline, why);
  if (done) {
    const auto found = co_await post("/v3/kv/range", etcd::encode_key(key_));
    const auto records = found.ok() ? etcd::decode_range(found.body) : std::nullopt;
    may_return_ = records && !records->empty() && records->front().lease != 0;
    const auto result = co_await post("/v3/kv/deleterange", etcd::encode_key(key_));
    done = result.ok();
    why = etcd_problem(result);
  }
  context_->log(done ? LogLevel::kInfo : LogLevel::kError,
                done ? "deregistered" : "not deregistered",
                {{"service", announcement_.name}, {done ? "key" : "error", done ? key_ : why}});
  if (done && may_return_) {
    context_->log(LogLevel::kInfo,
                  "it was under a lease: a sidecar that still runs puts it again within a third of "
                  "that",
                  {{"service", announcement_.name}});
  }
  co_return done;
}

net::Awaitable<bool> EtcdEntry::returned(TimePoint deadline) {
  give_up_ = deadline;
  const auto result = co_await post("/v3/kv/range", etcd::encode_key(key_));
  const auto records = result.ok() ? etcd::decode_range(result.body) : std::nullopt;
  const bool back = records && !records->empty();
  if (back) {
    context_->log(LogLevel::kError,
                  "a running sidecar announces the service again; stop that one, or let its check "
                  "fail",
                  {{"service", announcement_.name}, {"key", key_}});
  }
  co_return back;
}

}  // namespace pilotfish::registry
