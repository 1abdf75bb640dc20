#include "proxy/health_checks.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/random.hpp"
#include "core/repeat_filter.hpp"
#include "proxy/check_plan.hpp"
#include "proxy/check_probe.hpp"

namespace pilotfish::proxy {
namespace {

/// Lines about instances that are said before the rest is counted.
constexpr std::uint32_t kBurst = 10;
/// Verdicts that change together reach the workers together: each of these costs them one pass.
constexpr Duration kGather = std::chrono::milliseconds(5);

}  // namespace

/// One checked upstream.
class HealthChecks::Group : public std::enable_shared_from_this<Group> {
 public:
  Group(HealthChecks& owner, const UpstreamOptions& options)
      : name_(options.name),
        check_(options.check),
        host_(options.host),
        executor_(owner.executor_),
        owner_(owner),
        random_(++owner.seed_),
        next_(executor_),
        telling_(executor_) {}

  [[nodiscard]] const std::string& name() const { return name_; }

  void set_options(const UpstreamOptions& options) {
    host_ = options.host;
    if (check_ == options.check) {
      return;
    }
    check_ = options.check;
    // What was due by the former interval may be hours away.
    std::multimap<TimePoint, TargetPtr> due;
    const auto now = Clock::now();
    for (auto& entry : due_) {
      due.emplace(now + first_probe_in(check_.interval, random_), std::move(entry.second));
    }
    due_ = std::move(due);
    pump();
  }

  void stop() {
    stopped_ = true;
    due_.clear();
    targets_.clear();
    next_.cancel();
    telling_.cancel();
  }

  void arrived(std::size_t worker, CheckTarget target) {
    auto& known = targets_[target.endpoint];
    if (!known) {
      known = std::make_shared<Target>();
      known->at = std::move(target);
      due_.emplace(Clock::now() + first_probe_in(check_.interval, random_), known);
    } else if (known->record.unhealthy()) {
      say(*known, false);  // news to this worker
    }
    if (std::ranges::find(known->workers, worker) == known->workers.end()) {
      known->workers.push_back(worker);
    }
  }

  void left(std::size_t worker, const Endpoint& endpoint) {
    const auto found = targets_.find(endpoint);
    if (found == targets_.end()) {
      return;
    }
    auto& target = *found->second;
    std::erase(target.workers, worker);
    if (target.workers.empty()) {
      target.gone = true;  // where it is still due, its turn passes
      if (target.record.unhealthy()) {
        say(target, true);
      }
      targets_.erase(found);
    }
  }

  void pump() {
    const auto now = Clock::now();
    while (running_ < kAtOnce && !due_.empty() && due_.begin()->first <= now) {
      auto target = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      if (!target->gone) {
        ++running_;
        net::asio::co_spawn(executor_, run(shared_from_this(), std::move(target)),
                            net::asio::detached);
      }
    }
    if (stopped_ || due_.empty() || running_ >= kAtOnce) {
      return;  // the end of a probe looks again
    }
    next_.expires_at(due_.begin()->first);
    next_.async_wait([weak = weak_from_this()](net::ErrorCode error) {
      if (const auto self = weak.lock(); self && !error && !self->stopped_) {
        self->pump();
      }
    });
  }

 private:
  struct Target {
    CheckTarget at;
    CheckRecord record;
    std::string why;                   ///< of the newest failure
    std::vector<std::size_t> workers;  ///< that have it in an answer
    bool gone = false;
  };
  using TargetPtr = std::shared_ptr<Target>;

  static net::Awaitable<void> run(std::shared_ptr<Group> self, TargetPtr target) {
    const auto& host = self->host_;
    auto name = host.kind == HostRule::Kind::kName ? host.name : target->at.authority;
    const auto result =
        co_await probe(self->executor_, target->at.endpoint, self->check_, std::move(name));
    --self->running_;
    if (!self->stopped_ && !target->gone) {
      const bool first = !target->record.known();
      if (result.counts) {
        self->judge(*target, result);
      } else {
        self->owner_.logger_.debug("check says nothing of the instance",
                                   {{"upstream", self->name_},
                                    {"instance", target->at.endpoint.to_string()},
                                    {"error", result.why}});
      }
      const auto wait = next_probe_in(self->check_.interval, first, self->random_);
      self->due_.emplace(Clock::now() + wait, std::move(target));
    }
    if (!self->stopped_) {
      self->pump();
    }
  }

  void judge(Target& target, const ProbeResult& result) {
    const auto change = target.record.on_result(result.passed, check_);
    const bool other_cause = !result.passed && result.why != target.why;
    if (!result.passed) {
      target.why = result.why;
    }
    switch (change) {
      case CheckRecord::Change::kWentOut:
        log(LogLevel::kWarn, "instance unhealthy: its check fails", target, target.why);
        say(target, false);
        break;
      case CheckRecord::Change::kCameBack:
        log(LogLevel::kInfo, "instance healthy again: its check passes", target,
            "it failed with: " + target.why);
        say(target, true);
        break;
      case CheckRecord::Change::kNone:
        if (target.record.unhealthy() && other_cause) {
          say(target, false);
        }
        break;
    }
  }

  void say(const Target& target, bool healthy) {
    news_.push_back({target.at.endpoint, healthy, healthy ? std::string() : target.why});
    if (std::exchange(saying_, true)) {
      return;
    }
    telling_.expires_after(kGather);
    telling_.async_wait([weak = weak_from_this()](net::ErrorCode error) {
      if (const auto self = weak.lock(); self && !error && !self->stopped_) {
        self->saying_ = false;
        self->owner_.publish_(self->name_,
                              std::make_shared<const std::vector<balancer::CheckVerdict>>(
                                  std::exchange(self->news_, {})));
      }
    });
  }

  void log(LogLevel level, std::string_view what, const Target& target, std::string why) {
    owner_.trouble_.say(level, name_, what, std::move(why),
                        {{"instance", target.at.endpoint.to_string()}}, kBurst);
  }

  std::string name_;
  ActiveCheck check_;
  HostRule host_;
  net::Executor executor_;
  HealthChecks& owner_;  ///< until stop()
  Random random_;
  std::unordered_map<Endpoint, TargetPtr> targets_;
  std::multimap<TimePoint, TargetPtr> due_;  ///< all but those being probed; some may be gone
  std::size_t running_ = 0;
  std::vector<balancer::CheckVerdict> news_;
  net::Timer next_;
  net::Timer telling_;
  bool saying_ = false;
  bool stopped_ = false;
};

HealthChecks::HealthChecks(net::Executor executor, Logger& logger, std::uint64_t seed,
                           Publish publish)
    : executor_(executor),
      logger_(logger),
      deadlines_(executor),
      trouble_(deadlines_, logger),
      seed_(seed),
      publish_(std::move(publish)) {}

HealthChecks::~HealthChecks() {
  for (const auto& group : groups_) {
    group->stop();
  }
  trouble_.flush();
}

void HealthChecks::set_upstreams(const std::vector<UpstreamOptions>& upstreams) {
  auto former = std::exchange(groups_, {});
  for (const auto& options : upstreams) {
    if (options.check.kind == ActiveCheckKind::kNone) {
      continue;
    }
    const auto known = std::ranges::find(former, options.name, &Group::name);
    if (known == former.end()) {
      groups_.push_back(std::make_shared<Group>(*this, options));
      continue;
    }
    (*known)->set_options(options);
    groups_.push_back(std::move(*known));
    former.erase(known);
  }
  for (const auto& group : former) {
    group->stop();
  }
}

void HealthChecks::changed(std::size_t worker, const std::string& upstream,
                           std::vector<CheckTarget> arrived, std::vector<Endpoint> left) {
  const auto found = std::ranges::find(groups_, upstream, &Group::name);
  if (found == groups_.end()) {
    return;
  }
  auto& group = **found;
  for (auto& target : arrived) {
    group.arrived(worker, std::move(target));
  }
  for (const auto& endpoint : left) {
    group.left(worker, endpoint);
  }
  group.pump();
}

}  // namespace pilotfish::proxy
