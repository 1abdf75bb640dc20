#include "app/merge_status.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace pilotfish::app {
namespace {

int badness(std::string_view state) {
  if (state == "healthy") {
    return 0;
  }
  if (state == "draining") {
    return 1;
  }
  if (state == "ejected") {
    return 2;
  }
  return state == "unhealthy" ? 3 : 4;
}

/// -1 (none serves) is the worst tier.
bool worse_tier(int a, int b) {
  return a != b && b >= 0 && (a < 0 || a > b);
}

void merge_instance(std::vector<proxy::InstanceStatus>& into, const proxy::InstanceStatus& one) {
  const auto same = std::find_if(into.begin(), into.end(),
                                 [&](const auto& known) { return known.address == one.address; });
  if (same == into.end()) {
    into.push_back(one);
    return;
  }
  if (badness(one.state) > badness(same->state)) {
    same->state = one.state;
    same->why = one.why;
  }
  same->in_flight += one.in_flight;
  same->requests += one.requests;
  same->failures += one.failures;
  if (same->tier < 0 && one.tier >= 0) {
    // Another worker still has it in an answer: what that one knows of it is newer than nothing.
    same->tier = one.tier;
    same->weight = one.weight;
    same->priority = one.priority;
    same->tags = one.tags;
  }
}

MergedUpstream merge_upstream(const std::vector<const proxy::UpstreamStatus*>& views) {
  MergedUpstream merged;
  merged.status = *views.front();
  merged.status.instances.clear();
  merged.workers = static_cast<std::uint32_t>(views.size());
  std::map<int, std::uint32_t> votes;
  for (const auto* view : views) {
    ++votes[view->tier];
    merged.status.age_ms = std::max(merged.status.age_ms, view->age_ms);
    if (view->tier >= 0) {
      ++merged.workers_serving;
    } else if (merged.not_serving_reason.empty()) {
      merged.not_serving_reason = view->reason.empty() ? "no instance" : view->reason;
    }
    for (const auto& instance : view->instances) {
      merge_instance(merged.status.instances, instance);
    }
    auto& answers = merged.status.answers;
    answers.resize(std::max(answers.size(), view->answers.size()));
    for (std::size_t tier = 0; tier < view->answers.size(); ++tier) {
      if (view->answers[tier].answered > answers[tier].answered) {
        answers[tier] = view->answers[tier];
      }
    }
  }
  const auto best = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second < b.second : worse_tier(b.first, a.first);
  });
  merged.status.tier = best->first;
  const auto speaker = std::find_if(views.begin(), views.end(), [&](const auto* view) {
    return view->tier == merged.status.tier;
  });
  merged.status.reason = (*speaker)->reason;
  return merged;
}

}  // namespace

MergedStatus merge_status(
    const std::vector<std::optional<std::vector<proxy::UpstreamStatus>>>& workers) {
  MergedStatus merged;
  merged.workers = static_cast<std::uint32_t>(workers.size());
  std::vector<std::vector<const proxy::UpstreamStatus*>> upstreams;
  for (const auto& worker : workers) {
    if (!worker) {
      continue;
    }
    ++merged.workers_answered;
    for (const auto& upstream : *worker) {
      const auto known = std::find_if(upstreams.begin(), upstreams.end(), [&](const auto& views) {
        return views.front()->name == upstream.name;
      });
      if (known == upstreams.end()) {
        upstreams.push_back({&upstream});
      } else {
        known->push_back(&upstream);
      }
    }
  }
  for (const auto& views : upstreams) {
    merged.upstreams.push_back(merge_upstream(views));
  }
  return merged;
}

Readiness readiness(const MergedStatus& status) {
  std::string text;
  if (status.workers_answered < status.workers) {
    text += std::to_string(status.workers - status.workers_answered) + " of " +
            std::to_string(status.workers) + " workers did not answer\n";
  }
  for (const auto& upstream : status.upstreams) {
    if (!upstream.status.required || upstream.workers_serving == upstream.workers) {
      continue;
    }
    text += upstream.status.name + ": " + upstream.not_serving_reason;
    if (upstream.workers > 1) {
      text += " (on " + std::to_string(upstream.workers - upstream.workers_serving) + " of " +
              std::to_string(upstream.workers) + " workers)";
    }
    text += '\n';
  }
  return text.empty() ? Readiness{true, "ready\n"} : Readiness{false, text};
}

}  // namespace pilotfish::app
