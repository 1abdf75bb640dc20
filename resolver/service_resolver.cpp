#include "resolver/service_resolver.hpp"

#include "resolver/resolver_impl.hpp"

namespace pilotfish::resolver {

net::Awaitable<AbsenceVerdict> Completer::confirm_absence(const ConsulSource& /*source*/,
                                                          const std::vector<std::string>& /*tags*/,
                                                          TimePoint /*deadline*/) {
  co_return AbsenceVerdict{};
}

ServiceResolver::ServiceResolver(DnsService& dns, Source source, Freshness freshness,
                                 LookupOptions lookup, Hooks hooks)
    : impl_(std::make_shared<Impl>(dns.impl(), source, freshness, lookup, std::move(hooks))) {}

ServiceResolver::~ServiceResolver() {
  impl_->stop();
}

std::size_t ServiceResolver::tier_count() const {
  return impl_->last_answers().size();
}

void ServiceResolver::assume_good() {
  impl_->assume_good();
}

void ServiceResolver::start() {
  impl_->start();
}

void ServiceResolver::stop() {
  impl_->stop();
}

void ServiceResolver::join_again(DnsService& dns) {
  impl_->join_again(dns.impl());
}

ServiceResolver::Ticket ServiceResolver::arrive(std::size_t first, std::size_t last,
                                                TimePoint now) {
  return impl_->arrive(first, last, now);
}

bool ServiceResolver::satisfied(const Ticket& ticket) const {
  return impl_->satisfied(ticket);
}

net::Awaitable<ServiceResolver::Wait> ServiceResolver::wait(const Ticket& ticket,
                                                            const bool& gone) {
  return impl_->wait(ticket, gone);
}

TimePoint ServiceResolver::last_lookup_started() const {
  return impl_->last_lookup_started();
}

bool ServiceResolver::first_round_done() const {
  return impl_->first_round_done();
}

net::Awaitable<void> ServiceResolver::wait_first_round(TimePoint deadline) {
  return impl_->wait_first_round(deadline);
}

const std::vector<TierAnswer>& ServiceResolver::last_answers() const {
  return impl_->last_answers();
}

}  // namespace pilotfish::resolver
