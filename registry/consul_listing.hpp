#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "http/client.hpp"
#include "net/asio.hpp"
#include "registry/consul_health_codec.hpp"
#include "registry/options.hpp"
#include "resolver/watch.hpp"

namespace pilotfish::registry {

/// A listing of a service, 10,000 instances and more.
inline constexpr std::size_t kMaxWatchBody = std::size_t{64} * 1024 * 1024;

/// Where the agent lists that service, critical instances among them.
[[nodiscard]] std::string health_path(const resolver::WatchKey& key);

/// What an answer to that is worth to whoever serves by it.
struct ListingJudgement {
  std::optional<HealthListing> listing;  ///< nothing: a failure, never an empty service
  LookupResult failure = LookupResult::kMalformed;
  std::string problem;  ///< of it, for people
};
/// A transport error, any status but 2xx, a body that is no listing or has nothing usable in it,
/// and an answer that the agent's ACLs thinned out are failures. Pure.
[[nodiscard]] ListingJudgement judge_listing(const http::ClientResult& result,
                                             const resolver::WatchKey& key, bool has_token,
                                             bool only_passing);
/// For people.
[[nodiscard]] std::string skipped_text(std::size_t count);
[[nodiscard]] std::string named_text(std::size_t count);

/// What a watch of that service would say now, without one: for a command that ends. Asks the agent
/// for its only_passing first, where it is not told. Never null. Does not throw.
[[nodiscard]] net::Awaitable<resolver::WatchStatePtr> ask_watch_state(net::Executor executor,
                                                                      ConsulHttp options,
                                                                      resolver::WatchKey key,
                                                                      TimePoint deadline);

}  // namespace pilotfish::registry
