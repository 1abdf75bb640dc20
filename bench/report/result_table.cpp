#include "bench/report/result_table.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <set>

#include "bench/report/figures.hpp"
#include "bench/report/summary.hpp"

namespace pilotfish::bench {
namespace {

// With the blank before the first one, 100 columns.
constexpr std::size_t kTitle = 34;
constexpr std::size_t kWho = 12;
constexpr std::size_t kMedian = 8;
constexpr std::size_t kSpread = 17;  // with two blanks before it
constexpr std::size_t kRatio = 17;
constexpr std::size_t kOver = 11;
constexpr std::size_t kRatioMedian = 5;

std::string spread(const Summary& summary, const Scale& scale) {
  if (summary.rounds < 2 || summary.low == summary.high) return "";
  return fmt::format("{}..{}", number_text(summary.low, scale), number_text(summary.high, scale));
}

/// `title, unit` within the column: of what is too long, the title is cut.
std::string title_text(const FigureInfo& info, const Scale& scale) {
  const bool said = scale.unit.empty() || info.unit == Unit::kPerSecond;
  const auto unit = said ? "" : ", " + scale.unit;
  const auto room = kTitle - 1 - columns(unit);
  return fit_left(
      columns(info.title) > room ? fit_left(info.title, room) + unit : info.title + unit, kTitle);
}

class CaseTable {
 public:
  CaseTable(const RunResult& result, const std::string& test_case)
      : result_(result),
        case_(test_case),
        subject_(subject_of(result)),
        names_(names_of(result)),
        compared_(names_.size() > 1),
        direct_(std::ranges::find(names_, kDirect) != names_.end()) {}

  void print(std::vector<Line>& lines) const {
    const auto figures = figures_of(result_, case_);
    if (figures.empty()) return;
    Line title{{Style::kAccent, " " + result_.scenario}};
    if (!case_.empty()) title.push_back({Style::kBold, ", " + case_});
    const int rounds = most_rounds(figures);
    title.push_back({Style::kDim, rounds == 1
                                      ? "  1 round"
                                      : fmt::format("  {} rounds: median and low..high", rounds)});
    lines.push_back(std::move(title));
    lines.push_back({{Style::kDim, header()}});
    for (const auto& figure : figures) print_figure(figure, lines);
    print_missing(rounds, figures, lines);
    lines.emplace_back();
  }

 private:
  [[nodiscard]] std::string header() const {
    auto text = " " + fit_left("FIGURE", kTitle) + fit_left("WHO", kWho) +
                fit_right("MEDIAN", kMedian) + "  " + fit_left("LOW..HIGH", kSpread - 2);
    if (compared_) text += fit_left(subject_ + " / it", kRatio);
    return direct_ ? text + fit_right("OVER DIRECT", kOver) : text;
  }

  [[nodiscard]] std::optional<Summary> summary(const std::string& who,
                                               const std::string& figure) const {
    return summarise(result_, who, case_, figure);
  }

  [[nodiscard]] int most_rounds(const std::vector<std::string>& figures) const {
    int most = 0;
    for (const auto& name : names_) {
      for (const auto& figure : figures) {
        most = std::max(most, summary(name, figure).value_or(Summary{}).rounds);
      }
    }
    return most;
  }

  void print_figure(const std::string& figure, std::vector<Line>& lines) const {
    const auto info = figure_info(figure);
    std::vector<std::pair<std::string, Summary>> rows;
    double largest = 0;
    bool same = true;
    for (const auto& name : names_) {
      const auto found = summary(name, figure);
      if (!found) continue;
      rows.emplace_back(name, *found);
      largest = std::max(largest, std::abs(found->median));
      same = same && found->low == found->high && found->low == rows.front().second.low;
    }
    if (rows.empty()) return;
    const auto scale = scale_for(info.unit, largest);
    auto title = title_text(info, scale);
    if (same && rows.size() > 1) {
      rows.resize(1);
      rows.front().first = "all";
    }
    for (const auto& [name, row] : rows) {
      lines.push_back(row_line(title, name, row, figure, scale));
      title.clear();
    }
  }

  [[nodiscard]] Line row_line(const std::string& title, const std::string& name, const Summary& row,
                              const std::string& figure, const Scale& scale) const {
    Line line{{Style::kPlain, " " + fit_left(title, kTitle)}};
    line.push_back({name == subject_ ? Style::kBold : Style::kPlain,
                    fit_left(fit_left(name, kWho - 1), kWho)});
    line.push_back({Style::kBold, fit_right(number_text(row.median, scale), kMedian)});
    line.push_back({Style::kDim, "  " + fit_left(spread(row, scale), kSpread - 2)});
    if (compared_) {
      const bool itself = name == subject_ || name == "all";
      const auto ratio = itself ? std::nullopt : ratio_of(result_, subject_, name, case_, figure);
      const bool pairs = ratio && ratio->rounds > 1;
      line.push_back({ratio && name != kDirect ? verdict_of(*ratio, figure) : Style::kPlain,
                      fit_left(ratio ? ratio_text(ratio->median) : "", kRatioMedian)});
      line.push_back({Style::kDim,
                      fit_left(pairs ? ratio_text(ratio->low) + ".." + ratio_text(ratio->high) : "",
                               kRatio - kRatioMedian)});
    }
    if (!figure_info(figure).adds) return line;
    if (const auto added = added_over_direct(result_, name, case_, figure)) {
      line.push_back(
          {Style::kPlain, fit_right((*added < 0 ? "" : "+") + number_text(*added, scale), kOver)});
    }
    return line;
  }

  /// Who has not been through all the rounds.
  void print_missing(int rounds, const std::vector<std::string>& figures,
                     std::vector<Line>& lines) const {
    for (const auto& name : names_) {
      int most = 0;
      for (const auto& figure : figures) {
        most = std::max(most, summary(name, figure).value_or(Summary{}).rounds);
      }
      if (most == rounds) continue;
      lines.push_back({{Style::kWarn, fmt::format(" {}: {} of {} rounds", name, most, rounds)}});
    }
  }

  const RunResult& result_;
  const std::string& case_;
  const std::string subject_;
  const std::vector<std::string> names_;
  const bool compared_;
  const bool direct_;
};

/// Without blanks at the end, which only make a copied table wider.
void trim(Line& line) {
  while (!line.empty()) {
    auto& text = line.back().text;
    text.erase(text.find_last_not_of(' ') + 1);
    if (!text.empty()) return;
    line.pop_back();
  }
}

}  // namespace

Style verdict_of(const Summary& ratio, const std::string& figure) {
  const auto info = figure_info(figure);
  const bool apart = ratio.rounds > 1 && (ratio.high < 1 || ratio.low > 1);
  if (info.better == Better::kNeither || !apart || std::abs(ratio.median - 1) < info.noise) {
    return Style::kPlain;
  }
  return (ratio.median < 1) == (info.better == Better::kLower) ? Style::kGood : Style::kBad;
}

std::vector<Line> result_table(const RunResult& result) {
  std::vector<Line> lines;
  for (const auto& test_case : cases_of(result)) CaseTable(result, test_case).print(lines);
  std::ranges::for_each(lines, trim);
  if (lines.empty()) {
    lines.push_back({{Style::kWarn, fmt::format(" {}: nothing was measured", result.scenario)}});
    lines.emplace_back();
  }
  for (const auto& note : result.notes) {
    lines.push_back({{Style::kWarn, " note: "}, {Style::kPlain, note}});
  }
  return lines;
}

}  // namespace pilotfish::bench
