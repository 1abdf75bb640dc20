// ConsulEntry without a running sidecar: `pilotfish register` and `deregister`.
#include "registry/check_probe.hpp"
#include "registry/consul_entry.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {

net::Awaitable<bool> ConsulEntry::register_once(const Announcement& announcement,
                                                TimePoint deadline) {
  announcement_ = announcement;
  ConsulAgent::NodeAddress node;
  bool done = co_await prepare(deadline, node);
  auto why = node.why;
  if (done) {
    const auto found = co_await probe(context_->executor, announcement.check);
    // Without a mark: nobody keeps it, so that any process may take it over and withdraw it.
    auto body = encode_registration(service_, {}, found.verdict == Verdict::kPassing);
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
  ConsulAgent::NodeAddress node;
  bool done = co_await prepare(deadline, node);
  auto why = node.why;
  if (done) {
    std::optional<KnownService> known;
    (void)co_await look(known, deadline);
    may_return_ = known && !known->owner.empty();
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

net::Awaitable<bool> ConsulEntry::returned(TimePoint deadline) {
  std::optional<KnownService> known;
  (void)co_await look(known, deadline);
  if (known) {
    context_->log(LogLevel::kError,
                  "a running sidecar announces the service again; stop that one, or take it out of "
                  "traffic with `consul maint`",
                  {{"service", service_.name},
                   {"id", service_.id},
                   {"try", "consul maint -enable -service=" + service_.id}});
  }
  co_return known.has_value();
}

}  // namespace pilotfish::registry
