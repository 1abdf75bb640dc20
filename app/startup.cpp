#include "app/startup.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "app/inherited.hpp"

namespace pilotfish::app {

std::optional<config::RootOptions> load_or_print(const std::string& file, std::ostream& err) {
  config::Loaded loaded = config::load_file(file, config::process_environment());
  for (const auto& problem : loaded.problems) {
    err << problem.to_string() << '\n';
  }
  err.flush();
  return loaded.problems.empty() ? std::move(loaded.options) : std::nullopt;
}

Bound bind_all(const config::RootOptions& options, const config::Environment& environment) {
  Bound bound;
  const InheritedSockets inherited(environment, ::getpid());
  for (const auto& upstream : options.upstreams) {
    const std::string setting = "upstreams." + upstream.name + ".listen";
    if (upstream.listen.inherited.empty()) {
      bound.upstreams.push_back(
          {upstream.name, bind_listener(setting, upstream.listen.endpoint, options.workers)});
      continue;
    }
    for (auto& listener : inherited.take(setting, upstream.listen.inherited, options.workers)) {
      bound.upstreams.push_back({upstream.name, std::move(listener)});
    }
  }
  if (options.admin.listen) {
    bound.admin = bind_listener("admin", *options.admin.listen, 1);
  }
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
