#include "bench/report/html_report.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <ranges>

#include "bench/report/html_style.hpp"
#include "bench/report/html_tables.hpp"
#include "bench/report/html_text.hpp"
#include "bench/report/plots.hpp"
#include "bench/report/summary.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kStacked = 8;  // instances that can be told apart
constexpr std::size_t kLines = 5;    // where there are more
constexpr std::size_t kWideBuckets = 400;
constexpr std::size_t kNarrowBuckets = 160;

std::string both(const std::string& wide, const std::string& narrow) {
  return fmt::format("<figure><div class=wide>{}</div><div class=narrow>{}</div></figure>", wide,
                     narrow);
}

std::string fold(const std::string& summary, const std::string& content) {
  return fmt::format("<details><summary>{}</summary>{}</details>", summary, content);
}

/// As one would type it.
std::string command_line(const std::vector<std::string>& arguments) {
  std::string line = "pilotfish-lab";
  for (const auto& argument : arguments) {
    const bool plain = !argument.empty() &&
                       argument.find_first_of(" \t\n\"'\\$`&|;<>()*?[]#~!{}") == std::string::npos;
    line += ' ';
    if (plain) {
      line += argument;
      continue;
    }
    line += '\'';
    for (const char c : argument) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

std::string load_text(const MachineInfo& machine) {
  constexpr double kBusy = 0.5;  // of each core
  auto text = fmt::format("{:.2f}", machine.load_before);
  if (machine.load_before > kBusy * machine.cores) {
    text += ": the machine had other work; trust ratios, not numbers";
  }
  return text;
}

class Report {
 public:
  explicit Report(const RunResult& result)
      : result_(result), names_(names_of(result)), cases_(cases_of(result)) {}

  std::string take() {
    const auto title = result_.scenario.empty() ? "benchmark" : result_.scenario;
    text_ = fmt::format(
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content=\"width=device-width, initial-scale=1\">"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src "
        "'unsafe-inline'\"><title>{} - pilotfish bench</title><style>{}</style></head><body>\n"
        "<header><h1>{}</h1>",
        html(title), report_style(), html(title));
    add_facts();
    text_ += "</header>\n<main>";
    add_notes();
    add_contents();
    if (const auto glance = glance_table(result_); !glance.empty()) {
      add("<h2 id=glance>At a glance</h2>" + glance);
    }
    if (result_.measurements.empty() && result_.timelines.empty()) {
      add("<h2>Nothing was measured</h2><p>The run ended before its first round was complete, or "
          "nobody could take part; the notes say why where that is known.</p>");
    }
    for (std::size_t i = 0; i < cases_.size(); ++i) add_case(i);
    add_contenders();
    add_repeat();
    return std::move(text_) + "</main></body></html>\n";
  }

 private:
  void add(const std::string& piece) { text_ += piece + '\n'; }

  [[nodiscard]] std::string colour(const std::string& name) const {
    std::size_t position = 0;
    for (const auto& each : names_) {
      if (each == name) break;
      const auto named = colour_of(each, 0);
      position += named > "c4" ? 1U : 0U;
    }
    return colour_of(name, position);
  }

  [[nodiscard]] std::string case_title(std::size_t index) const {
    return cases_[index].empty() ? "Results" : cases_[index];
  }

  void add_facts() {
    const auto& machine = result_.machine;
    text_ += "<dl class=facts>";
    const auto fact = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) text_ += fmt::format("<dt>{}</dt><dd>{}</dd>", name, html(value));
    };
    fact("Run", result_.date);
    fact("Version", result_.version);
    std::string who;
    for (const auto& name : names_) who += (who.empty() ? "" : ", ") + name;
    fact("Contenders", who);
    std::string hardware = machine.processor;
    if (machine.cores > 0) {
      hardware += fmt::format("{}{} {}", hardware.empty() ? "" : ", ", machine.cores,
                              machine.cores == 1 ? "core" : "cores");
    }
    if (machine.memory_bytes > 0) {
      hardware += ", " + value_text(static_cast<double>(machine.memory_bytes), Unit::kBytes);
    }
    fact("Machine", hardware);
    fact("Kernel", machine.kernel);
    if (machine.cores > 0) fact("Load before", load_text(machine));
    text_ += "</dl>";
  }

  void add_notes() {
    if (result_.notes.empty()) return;
    text_ += "<section class=notes aria-label=Notes><strong>Before you read on</strong><ul>";
    for (const auto& note : result_.notes) text_ += "<li>" + html(note) + "</li>";
    add("</ul></section>");
  }

  void add_contents() {
    if (cases_.size() < 2) return;
    text_ += "<nav aria-label=Contents><ul>";
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      text_ += fmt::format("<li><a href=\"#case{}\">{}</a></li>", i, html(case_title(i)));
    }
    add("<li><a href=\"#contenders\">Contenders</a></li><li><a href=\"#repeat\">Repeat it</a></li>"
        "</ul></nav>");
  }

  void add_case(std::size_t index) {
    const auto& test_case = cases_[index];
    add(fmt::format("<section><h2 id=case{}>{}</h2>", index, html(case_title(index))));
    add_timelines(test_case);
    const auto figures = figures_of(result_, test_case);
    if (!figures.empty()) {
      alike_.clear();
      text_ += "<div class=cards>";
      for (const auto& figure : figures) add_bars(test_case, figure);
      add(names_.size() < 2 ? "</div>"
                            : "</div><p class=dim>Bars are medians over the rounds, whiskers the "
                              "lowest and the highest round.</p>");
      if (!alike_.empty()) add("<p>The same for all: " + alike_ + ".</p>");
      add(fold("All figures as a table", case_table(result_, test_case)));
    }
    add_latency(test_case);
    add("</section>");
  }

  void add_bars(const std::string& test_case, const std::string& figure) {
    const auto info = figure_info(figure);
    std::vector<Bar> bars;
    bool same = true;
    for (const auto& name : names_) {
      const auto summary = summarise(result_, name, test_case, figure);
      if (!summary) continue;
      bars.push_back({name, colour(name), *summary, {}});
      same = same && summary->low == summary->high && summary->low == bars[0].summary.low;
    }
    if (bars.empty()) return;
    if (same && names_.size() > 1) {
      alike_ += (alike_.empty() ? "" : ", ") + html(info.title) + " " +
                html(value_text(bars[0].summary.median, info.unit));
      return;
    }
    const char* const better = info.better == Better::kLower    ? "lower is better"
                               : info.better == Better::kHigher ? "higher is better"
                                                                : "";
    text_ += fmt::format("<figure class=card><h3>{} <span class=small>{}</span></h3>",
                         html(info.title), better);
    if (names_.size() < 2) {
      const auto& [median, low, high, rounds] = bars[0].summary;
      text_ += fmt::format("<p class=big>{}</p>", html(value_text(median, info.unit)));
      if (low != high) {
        const auto scale = scale_for(info.unit, median);
        text_ += fmt::format("<p class=small>{} to {} in {} rounds</p>",
                             html(value_text(low, scale)), html(value_text(high, scale)), rounds);
      }
      add("</figure>");
      return;
    }
    text_ += bar_plot(info, bars);
    add("</figure>");
  }

  void add_latency(const std::string& test_case) {
    std::vector<Curve> curves;
    for (const auto& name : names_) {
      auto latency = latency_of(result_, name, test_case);
      if (!latency.empty()) curves.push_back({name, colour(name), std::move(latency)});
    }
    const auto wide = latency_plot(curves, Room::kWide);
    if (wide.empty()) return;
    add("<h3>Latency by percentile <span class=small>median over the rounds at each percentile"
        "</span></h3>");
    text_ += "<ul class=legend>";
    for (const auto& curve : curves) {
      text_ += fmt::format(
          "<li><svg viewBox=\"0 0 26 12\" aria-hidden=true><line x1=0 y1=6 x2=26 y2=6 "
          "class=\"curve {}\"/></svg>{}</li>",
          curve.colour, html(curve.name));
    }
    add("</ul>" + both(wide, latency_plot(curves, Room::kNarrow)));
    add(fold("Latencies as a table", latency_table(curves)));
  }

  /// The first round of each contender; the others folded.
  void add_timelines(const std::string& test_case) {
    for (const auto& name : names_) {
      std::vector<const Timeline*> rounds;
      for (const auto& each : result_.timelines) {
        if (each.contender == name && each.test_case == test_case) rounds.push_back(&each);
      }
      if (rounds.empty()) continue;
      std::ranges::stable_sort(rounds, {}, [](const auto* each) { return each->round; });
      add(fmt::format("<h3>{}: requests per instance <span class=small>{}</span></h3>", html(name),
                      rounds.size() == 1 ? "" : fmt::format("round {}", rounds[0]->round)));
      add(timeline_text(*rounds[0]));
      for (std::size_t i = 1; i < rounds.size(); ++i) {
        add(fold(fmt::format("{}, round {}", html(name), rounds[i]->round),
                 timeline_text(*rounds[i])));
      }
    }
  }

  [[nodiscard]] static std::string timeline_text(const Timeline& timeline) {
    const auto all = timeline.requests.size() - timeline.requests.count("failed");
    const std::size_t drawn = all > kStacked ? kLines : kStacked;
    const auto view = view_of(timeline, drawn, kWideBuckets);
    const auto narrow = view_of(timeline, drawn, kNarrowBuckets);
    std::string text = "<ul class=legend>";
    for (const auto& layer : view.layers | std::views::reverse) {
      text += fmt::format(
          "<li><svg viewBox=\"0 0 26 12\" aria-hidden=true><rect width=26 height=12 class=\"{}\"/>"
          "</svg>{}</li>",
          layer.colour, html(layer.name));
    }
    if (view.others.count != 0) {
      text += fmt::format(
          "<li><svg viewBox=\"0 0 26 12\" aria-hidden=true><rect width=26 height=12 "
          "class=\"band\"/>"
          "<line x1=0 y1=6 x2=26 y2=6 class=\"middle\"/></svg>the other {}: idlest, middle, busiest"
          "</li>",
          view.others.count);
    }
    text += "</ul>" + both(timeline_plot(timeline, view, Room::kWide),
                           timeline_plot(timeline, narrow, Room::kNarrow));
    text += fmt::format("<p class={}>{}</p>", view.total_failed == 0 ? "dim" : "bad",
                        view.total_failed == 0
                            ? "No request failed."
                            : fmt::format("{} {} failed.", view.total_failed,
                                          view.total_failed == 1 ? "request" : "requests"));
    if (!timeline.events.empty()) {
      std::string list = "<ol class=events>";
      for (const auto& event : timeline.events) {
        list += fmt::format("<li>{:.2f}s {}</li>", event.at_ms / 1000, html(event.what));
      }
      list += "</ol>";
      constexpr std::size_t kShort = 12;
      text += timeline.events.size() <= kShort
                  ? list
                  : fold(fmt::format("{} events", timeline.events.size()), list);
    }
    return text + fold("Instances as a table", timeline_table(timeline));
  }

  void add_contenders() {
    if (result_.contenders.empty()) return;
    add("<section><h2 id=contenders>Contenders</h2>");
    for (const auto& each : result_.contenders) {
      std::string content;
      if (!each.command.empty()) content += "<pre>" + html(each.command) + "</pre>";
      if (!each.configuration.empty()) content += "<pre>" + html(each.configuration) + "</pre>";
      const auto line = fmt::format("<strong>{}</strong> {}", html(each.name), html(each.version));
      add(content.empty() ? "<p>" + line + "</p>" : fold(line, content));
    }
    add("</section>");
  }

  void add_repeat() {
    add("<section><h2 id=repeat>Repeat it</h2>");
    if (!result_.arguments.empty()) {
      add("<pre>" + html(command_line(result_.arguments)) + "</pre>");
    }
    text_ += fmt::format(
        "<p>Seed {}. <code>result.json</code> beside this page has every number "
        "of every round; <code>pilotfish-lab bench compare</code> holds two of "
        "them against each other.</p>",
        result_.seed);
    if (!result_.options.empty()) {
      std::string rows;
      for (const auto& [key, value] : result_.options) {
        rows += fmt::format("<tr><th scope=row>{}</th><td>{}</td></tr>", html(key), html(value));
      }
      add(fold("Options as understood", "<table><tbody>" + rows + "</tbody></table>"));
    }
    add("</section>");
  }

  const RunResult& result_;
  const std::vector<std::string> names_;
  const std::vector<std::string> cases_;
  std::string text_;
  std::string alike_;  ///< of the case that is being written: what nobody differs in
};

}  // namespace

std::string report_html(const RunResult& result) {
  return Report(result).take();
}

}  // namespace pilotfish::bench
