#include "bench/lab/summary.hpp"

#include <cmath>
#include <fmt/core.h>

#include "bench/harness/admin_view.hpp"
#include "bench/lab/narration.hpp"
#include "bench/lab/text.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::string_view kTierChanges = "pilotfish_upstream_tier_changes_total";
constexpr std::string_view kRetries = "pilotfish_upstream_retries_total";
constexpr std::string_view kLookups = "pilotfish_lookup_total";
constexpr std::string_view kConnectFailures = "pilotfish_upstream_connect_failures_total";

/// `reason="below_min_healthy"` of a sample's name.
std::string reason_of(std::string_view sample) {
  const auto at = sample.find("reason=\"");
  if (at == std::string_view::npos) return {};
  const auto rest = sample.substr(at + 8);
  return std::string(rest.substr(0, rest.find('"')));
}

std::string reasons(const std::map<std::string, double>& metrics, std::string_view family) {
  std::string text;
  for (const auto& [name, value] : metrics) {
    if (!name.starts_with(family) || value <= 0) continue;
    text += fmt::format("{}{} {:.0f}", text.empty() ? " (" : ", ", reason_of(name), value);
  }
  return text.empty() ? text : text + ")";
}

std::string line(std::string_view label, std::string_view text) {
  return fmt::format("  {:<12} {}\n", label, text);
}

std::string sidecar_lines(const std::map<std::string, double>& metrics) {
  if (metrics.empty()) return {};
  return line("tier changes", fmt::format("{:.0f}{}", sum_of(metrics, kTierChanges),
                                          reasons(metrics, kTierChanges))) +
         line("retries",
              fmt::format("{:.0f}{}, {:.0f} failed connects", sum_of(metrics, kRetries),
                          reasons(metrics, kRetries), sum_of(metrics, kConnectFailures))) +
         line("lookups", fmt::format("{:.0f}", sum_of(metrics, kLookups)));
}

}  // namespace

std::string render_summary(const SummaryInput& input, const LoadReport& report) {
  std::string text = fmt::format("\n{} of {:.0f} requests/s{}\n", seconds_text(input.elapsed),
                                 input.rate, input.interrupted ? ", interrupted" : "");
  for (const auto& step : input.steps) {
    text += line(
        step_name(step.step),
        fmt::format("{:<54} {} failed", (step.as_expected ? "" : "! ") + step.text, step.failed));
  }
  const auto& latency = report.latency;
  text +=
      line("latency",
           fmt::format("p50 {}  p99 {}  p99.9 {}  max {}", short_duration(latency.percentile(0.5)),
                       short_duration(latency.percentile(0.99)),
                       short_duration(latency.percentile(0.999)), short_duration(latency.max())));
  std::string served;
  for (const auto& [version, count] : input.served) {
    served += fmt::format("{}{} {}", served.empty() ? "" : ", ", version, count);
  }
  text += line("served by", served);
  text += sidecar_lines(input.metrics);
  for (const auto& [error, count] : report.errors) {
    text += line("failed", fmt::format("{} x {}", count, error));
  }
  return text;
}

std::string verdict(const LoadReport& report) {
  return fmt::format("{} requests, {} failed", report.requests, report.failed);
}

}  // namespace pilotfish::bench
