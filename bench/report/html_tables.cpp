#include "bench/report/html_tables.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/core.h>
#include <numeric>

#include "bench/report/html_text.hpp"
#include "bench/report/result_table.hpp"
#include "bench/report/summary.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kMostInstances = 40;

std::string number_cell(std::string_view text, std::string_view classes = {}) {
  return fmt::format("<td class=\"n {}\">{}</td>", classes, html(text));
}

/// The ratio, coloured and said in words to those who see no colours.
std::string ratio_cell(const std::optional<Summary>& ratio, const std::string& figure,
                       bool contest = true) {
  if (!ratio) return "<td class=n></td>";
  const auto verdict = contest ? verdict_of(*ratio, figure) : Style::kPlain;
  const char* const classes =
      verdict == Style::kGood ? "good" : (verdict == Style::kBad ? "bad" : "");
  const char* const mark = verdict == Style::kGood  ? " <span title=\"better\">&#10003;</span>"
                           : verdict == Style::kBad ? " <span title=\"worse\">&#10007;</span>"
                                                    : "";
  const auto pairs = ratio->rounds < 2
                         ? ""
                         : fmt::format("<br><span class=small>{} to {}</span>",
                                       ratio_text(ratio->low), ratio_text(ratio->high));
  return fmt::format("<td class=\"n {}\">{}{}{}</td>", classes, ratio_text(ratio->median), mark,
                     pairs);
}

std::string heads(const std::vector<std::string>& names, std::size_t texts) {
  std::string row = "<thead><tr>";
  for (std::size_t i = 0; i < names.size(); ++i) {
    row += fmt::format("<th scope=col{}>{}</th>", i < texts ? "" : " class=n", html(names[i]));
  }
  return row + "</tr></thead>";
}

}  // namespace

std::string glance_table(const RunResult& result) {
  const auto subject = subject_of(result);
  auto others = names_of(result);
  std::erase(others, subject);
  std::erase(others, kDirect);  // no contest: a proxy is always added to it
  if (subject.empty() || others.empty()) return "";
  std::string rows;
  const auto cases = cases_of(result);
  for (const auto& test_case : cases) {
    std::string below;
    for (const auto& figure : figures_of(result, test_case)) {
      const auto info = figure_info(figure);
      std::string cells;
      bool any = false;
      for (const auto& other : others) {
        const auto ratio = ratio_of(result, subject, other, test_case, figure);
        any = any || ratio;
        cells += ratio_cell(ratio, figure);
      }
      if (!any || info.better == Better::kNeither) continue;
      below += fmt::format("<tr><th scope=row>{} <span class=small>{}</span></th>{}</tr>",
                           html(info.title),
                           info.better == Better::kHigher ? "higher is better" : "", cells);
    }
    if (!below.empty() && !test_case.empty()) {
      rows += fmt::format("<tr class=group><th scope=rowgroup colspan={}>{}</th></tr>",
                          others.size() + 1, html(test_case));
    }
    rows += below;
  }
  if (rows.empty()) return "";
  std::vector<std::string> names{"Figure"};
  for (const auto& other : others) names.push_back("of " + other);
  return fmt::format(
      "<p class=dim>{} divided by each: ratio of the medians, below it the extremes of the ratios "
      "within rounds. &#10003; better, &#10007; worse beyond noise.</p>"
      "<div class=scroll><table>{}<tbody>{}</tbody></table></div>",
      html(subject), heads(names, 1), rows);
}

std::string case_table(const RunResult& result, const std::string& test_case) {
  const auto subject = subject_of(result);
  const auto names = names_of(result);
  const bool compared = names.size() > 1;
  const bool direct = std::ranges::find(names, kDirect) != names.end();
  std::string rows;
  for (const auto& figure : figures_of(result, test_case)) {
    const auto info = figure_info(figure);
    bool first = true;
    for (const auto& name : names) {
      const auto summary = summarise(result, name, test_case, figure);
      if (!summary) continue;
      const auto scale = scale_for(info.unit, summary->median);
      std::string each;
      for (const auto& value : values_of(result, name, test_case, figure)) {
        each += (each.empty() ? "" : ", ") + number_text(value.value, scale);
      }
      rows += fmt::format("<tr{}><th scope=row>{}</th><td>{}</td>", first ? " class=first" : "",
                          first ? html(info.title) : "", html(name));
      rows += number_cell(value_text(summary->median, scale));
      rows += number_cell(summary->low == summary->high ? ""
                                                        : value_text(summary->low, scale) + " to " +
                                                              value_text(summary->high, scale));
      if (compared) {
        rows += ratio_cell(
            name == subject ? std::nullopt : ratio_of(result, subject, name, test_case, figure),
            figure);
      }
      if (direct) {
        const auto added =
            info.adds ? added_over_direct(result, name, test_case, figure) : std::nullopt;
        rows += number_cell(added ? (*added < 0 ? "" : "+") + value_text(*added, info.unit) : "");
      }
      rows += fmt::format("<td class=small>{}</td></tr>", html(each));
      first = false;
    }
  }
  std::vector<std::string> titles{"Figure", "Contender", "Median", "Low to high"};
  if (compared) titles.push_back(subject + " / it");
  if (direct) titles.emplace_back("Over direct");
  auto head = heads(titles, 2);
  head.insert(head.find("</tr>"), "<th scope=col>Rounds</th>");
  return fmt::format("<div class=scroll><table>{}<tbody>{}</tbody></table></div>", head, rows);
}

std::string latency_table(const std::vector<Curve>& curves) {
  struct Column {
    double fraction;
    const char* title;
  };
  static constexpr auto kColumns = std::to_array<Column>({{0.5, "50%"},
                                                          {0.9, "90%"},
                                                          {0.99, "99%"},
                                                          {0.999, "99.9%"},
                                                          {0.9999, "99.99%"},
                                                          {1, "slowest"}});
  std::string rows;
  for (const auto& curve : curves) {
    if (curve.latency.empty()) continue;
    rows += fmt::format("<tr><th scope=row>{}</th>", html(curve.name));
    for (const auto& column : kColumns) {
      // The first point that is not below; what lies beyond the last one is not known.
      constexpr double kSame = 1e-9;
      const auto at = std::ranges::find_if(
          curve.latency, [&](const auto& point) { return point.first >= column.fraction - kSame; });
      rows +=
          number_cell(at == curve.latency.end() ? "" : value_text(at->second, Unit::kMicroseconds));
    }
    rows += "</tr>";
  }
  std::vector<std::string> titles{"Contender"};
  for (const auto& column : kColumns) titles.emplace_back(column.title);
  return fmt::format("<div class=scroll><table>{}<tbody>{}</tbody></table></div>", heads(titles, 1),
                     rows);
}

std::string timeline_table(const Timeline& timeline) {
  struct Row {
    std::string name;
    std::uint64_t total = 0;
    std::string first, last;
  };
  const auto at = [&](std::ptrdiff_t bucket) {
    return fmt::format("{:.2f}s", static_cast<double>(bucket) * timeline.bucket_ms / 1000);
  };
  std::vector<Row> rows;
  std::uint64_t all = 0;
  for (const auto& [name, counts] : timeline.requests) {
    Row row{name, std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}), "", ""};
    const auto busy = [](auto count) { return count != 0; };
    if (row.total != 0) {
      row.first = at(std::ranges::find_if(counts, busy) - counts.begin());
      row.last = at(std::find_if(counts.rbegin(), counts.rend(), busy).base() - counts.begin());
    }
    all += row.total;
    rows.push_back(std::move(row));
  }
  std::ranges::sort(rows, [](const auto& a, const auto& b) {
    if ((a.name == "failed") != (b.name == "failed")) return a.name == "failed";
    return a.total != b.total ? a.total > b.total : natural_less(a.name, b.name);
  });
  std::string text;
  for (std::size_t i = 0; i < std::min(rows.size(), kMostInstances); ++i) {
    const auto& row = rows[i];
    text += fmt::format(
        "<tr><th scope=row>{}</th>{}{}{}{}</tr>", html(row.name),
        number_cell(std::to_string(row.total)),
        number_cell(all == 0 ? ""
                             : fmt::format("{:.1f}%", 100 * static_cast<double>(row.total) /
                                                          static_cast<double>(all))),
        number_cell(row.first), number_cell(row.last));
  }
  if (rows.size() > kMostInstances) {
    text += fmt::format(
        "<tr><td colspan=5 class=dim>and {} more, each with at most {} requests"
        "</td></tr>",
        rows.size() - kMostInstances, rows[kMostInstances].total);
  }
  return fmt::format("<div class=scroll><table>{}<tbody>{}</tbody></table></div>",
                     heads({"Instance", "Requests", "Share", "From", "Until"}, 1), text);
}

}  // namespace pilotfish::bench
