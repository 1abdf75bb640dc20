#include "app/startup.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

#include "app/disk_thread.hpp"

namespace pilotfish::app {

std::optional<config::RootOptions> load_or_print(const std::string& file, std::ostream& err) {
  config::Loaded loaded = config::load_file(file, config::process_environment());
  for (const auto& problem : loaded.problems) {
    err << problem.to_string() << '\n';
  }
  err.flush();
  return loaded.problems.empty() ? std::move(loaded.options) : std::nullopt;
}

std::shared_ptr<const StateLock> take_state_dir(const std::string& directory) {
  constexpr Duration kPatience = std::chrono::seconds(2);
  if (directory.empty()) {
    return nullptr;
  }
  const auto taken = std::make_shared<StateLock::Taken>();
  DiskThread disk;
  disk.run([taken, directory] { *taken = StateLock::take(directory); });
  if (!disk.wait(kPatience)) {
    return nullptr;
  }
  if (taken->in_use) {
    throw BindError(taken->problem);
  }
  return taken->lock;
}

std::vector<UpstreamListener> bind_place(const Place& place, std::uint32_t workers,
                                         const InheritedSockets& inherited) {
  const std::string setting = "upstreams." + place.upstream + ".listen";
  std::vector<UpstreamListener> out;
  if (place.listen.inherited.empty()) {
    out.push_back({place.upstream, bind_listener(setting, place.listen.endpoint, workers), place.id,
                   place.id});
    return out;
  }
  for (auto& listener : inherited.take(setting, place.listen.inherited, workers)) {
    out.push_back({place.upstream, std::move(listener), place.id,
                   place.id + "#" + std::to_string(out.size())});
  }
  return out;
}

Bound bind_all(const config::RootOptions& options, const config::Environment& environment) {
  Bound bound;
  const InheritedSockets inherited(environment, ::getpid());
  for (const auto& place : places(options)) {
    for (auto& listener : bind_place(place, options.workers, inherited)) {
      bound.upstreams.push_back(std::move(listener));
    }
  }
  if (options.admin.listen) {
    bound.admin = bind_listener("admin", *options.admin.listen, 1);
  }
  bound.state = take_state_dir(options.state_dir);
  return bound;
}

std::vector<std::string> listen_texts(const config::RootOptions& options, const Bound& bound) {
  std::vector<std::string> texts;
  for (const auto& upstream : options.upstreams) {
    std::string text;
    for (const auto& listener : bound.upstreams) {
      if (listener.upstream == upstream.name) {
        text += (text.empty() ? "" : " ") + listener.bound.endpoint.to_string();
      }
    }
    if (!upstream.listen.inherited.empty()) {
      text += " (" + upstream.listen.to_string() + ")";
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

Descriptors count_descriptors() {
  Descriptors result;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    result.allowed = limit.rlim_cur;
  }
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++result.open;
  }
  return result;
}

std::uint32_t clients_carried(const Descriptors& descriptors, std::uint32_t workers) {
  // A worker: its loop, lookups over UDP and TCP, the agent's API. The rest: admin, registration.
  const std::uint64_t own = descriptors.open + 8ULL * workers + 12;
  const std::uint64_t left = descriptors.allowed > own ? (descriptors.allowed - own) / 2 : 0;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(left, workers, std::numeric_limits<std::uint32_t>::max()));
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
      return raised.rlim_cur;
    }
  }
  return limit.rlim_cur;
}

}  // namespace pilotfish::app
