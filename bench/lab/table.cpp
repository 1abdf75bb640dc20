#include "bench/lab/table.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>

namespace pilotfish::bench {
namespace {

constexpr std::size_t kBarColumns = 12;
constexpr std::size_t kRoomForBars = 92;

std::string repeat(std::string_view piece, std::size_t count) {
  std::string result;
  while (count-- != 0) result += piece;
  return result;
}

Line progress(const TableModel& model, std::size_t width, bool unicode) {
  const std::size_t cells = width < 4 ? 1 : width - 2;
  const auto cell_of = [&](Duration at) {
    const double share = std::chrono::duration<double>(at) / model.total;
    return std::min(static_cast<std::size_t>(share * static_cast<double>(cells)), cells - 1);
  };
  const std::size_t done = model.elapsed >= model.total ? cells : cell_of(model.elapsed);
  std::vector<bool> marks(cells);
  for (const auto at : model.steps) marks[cell_of(at)] = true;
  std::string past;
  std::string future;
  for (std::size_t i = 0; i < cells; ++i) {
    const std::string_view mark = unicode ? "┃" : "|";
    const std::string_view line = unicode ? "━" : (i < done ? "=" : "-");
    (i < done ? past : future) += marks[i] ? mark : line;
  }
  return {{Style::kPlain, " "}, {Style::kAccent, past}, {Style::kDim, future}};
}

std::string bar(double rate, double full, bool unicode) {
  const double share = full <= 0 ? 0 : std::min(rate / full, 1.0);
  const auto cells = static_cast<std::size_t>(std::lround(share * kBarColumns));
  return fit_left(repeat(unicode ? "█" : "#", cells), kBarColumns);
}

Line row_line(const TableRow& row, double full, bool bars, bool unicode) {
  const bool idle = row.traffic.rate <= 0;
  Line line;
  line.push_back(
      {row.style == Style::kGood ? Style::kBold : row.style, " " + fit_left(row.name, 6) + " "});
  line.push_back({Style::kDim, fit_left(row.address, 16)});
  line.push_back(
      {row.registry == "critical" ? Style::kBad : Style::kPlain, fit_left(row.registry, 9)});
  line.push_back({Style::kPlain, fit_right(row.tier < 0 ? "-" : std::to_string(row.tier), 4)});
  line.push_back(
      {idle ? Style::kDim : Style::kBold, fit_right(fmt::format("{:.0f}", row.traffic.rate), 7)});
  if (bars) line.push_back({row.style, "  " + bar(row.traffic.rate, full, unicode)});
  const auto latency = [&](Duration value) {
    return fit_right(idle ? "-" : short_duration(value), 8);
  };
  line.push_back({Style::kPlain, latency(row.traffic.p50) + latency(row.traffic.p99)});
  line.push_back({row.style, "  " + row.state});
  return line;
}

}  // namespace

std::vector<Line> render_table(const TableModel& model, std::size_t width, std::size_t height,
                               bool unicode) {
  std::vector<Line> lines;
  lines.push_back(
      {{Style::kAccent, " pilotfish demo "},
       {Style::kPlain,
        fmt::format(" {:.1f}/{:g}s  ", std::chrono::duration<double>(model.elapsed).count(),
                    std::chrono::duration<double>(model.total).count())},
       {Style::kBold, fmt::format("{} requests, ", model.requests)},
       {model.failed == 0 ? Style::kGood : Style::kBad, fmt::format("{} failed", model.failed)},
       {Style::kPlain,
        fmt::format("  {:.0f}/s  p50 {} p99 {}", model.traffic.rate,
                    short_duration(model.traffic.p50), short_duration(model.traffic.p99))}});
  lines.push_back(progress(model, width, unicode));
  lines.push_back({{Style::kPlain, " " + model.listen + "  "},
                   {Style::kBold, model.serving},
                   {Style::kDim, model.reason.empty() ? "" : "  " + model.reason}});
  lines.emplace_back();
  const bool bars = width >= kRoomForBars;
  lines.push_back(
      {{Style::kDim, fmt::format(" {:<6} {:<16}{:<9}{:>4}{:>7}{}{:>8}{:>8}  {}", "WHO", "ADDRESS",
                                 "REGISTRY", "TIER", "RATE/S", bars ? "              " : "", "P50",
                                 "P99", "SIDECAR SEES")}});
  for (const auto& row : model.rows) {
    lines.push_back(row_line(row, model.traffic.rate, bars, unicode));
  }
  lines.emplace_back();
  const std::size_t room = height > lines.size() ? height - lines.size() : 0;
  const std::size_t shown = std::min(room, model.log.size());
  lines.insert(lines.end(), model.log.end() - static_cast<std::ptrdiff_t>(shown), model.log.end());
  if (lines.size() > height) lines.resize(height);
  return lines;
}

std::string render_compact(const TableModel& model) {
  auto text =
      fmt::format(" t={:<6}{:<12} {:>4.0f}/s ", seconds_text(model.elapsed),
                  model.serving.substr(0, model.serving.find(" since")), model.traffic.rate);
  for (const auto& row : model.rows) {
    if (row.traffic.rate > 0) text += fmt::format(" {} {:.0f}", row.name, row.traffic.rate);
  }
  return text + fmt::format("  p50 {} p99 {}  {} failed", short_duration(model.traffic.p50),
                            short_duration(model.traffic.p99), model.failed);
}

}  // namespace pilotfish::bench
