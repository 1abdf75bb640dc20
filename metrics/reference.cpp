#include "metrics/reference.hpp"

#include <sstream>

#include "metrics/families.hpp"

namespace pilotfish::metrics {
namespace {

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kCounter: return "counter";
    case Type::kGauge: return "gauge";
    case Type::kHistogram: return "histogram";
  }
  return "";
}

std::string_view merge_name(const Family& family) {
  if (family.type != Type::kGauge) {
    return "sum";
  }
  switch (family.merge) {
    case Merge::kSum: return "sum";
    case Merge::kMax: return "largest";
    case Merge::kMin: return "smallest";
  }
  return "";
}

}  // namespace

std::string reference_markdown() {
  std::ostringstream out;
  out << "# Metrics\n\n"
         "<!-- Generated from metrics/families.hpp by `pilotfish reference metrics`. -->\n\n"
         "`/metrics` on the admin port has them in Prometheus' text format. A family appears with\n"
         "its first series. Series with the label `instance` exist for instances that live, and\n"
         "for 1 minute after they go. With several workers each series is one number: their sum,\n"
         "or what the column *workers* says.\n\n"
         "| metric | type | labels | workers | meaning |\n"
         "| --- | --- | --- | --- | --- |\n";
  for (const Family* family : kFamilies) {
    out << "| `" << family->name << "` | " << type_name(family->type) << " | ";
    const char* separator = "";
    for (const auto label : family->labels) {
      if (!label.empty()) {
        out << separator << '`' << label << '`';
        separator = ", ";
      }
    }
    out << " | " << merge_name(*family) << " | " << family->help << " |\n";
  }
  out << "\nHistogram buckets, in seconds: ";
  for (const double bound : Histogram::kBounds) {
    out << bound << ", ";
  }
  out << "+Inf.\n\n"
         "## The process\n\n"
         "Without prefix, as everywhere in Prometheus: `process_cpu_seconds_total`,\n"
         "`process_resident_memory_bytes`, `process_virtual_memory_bytes`, `process_open_fds`,\n"
         "`process_max_fds`, `process_start_time_seconds`.\n\n"
         "## Values of labels\n\n"
         "`upstream` is the name in the configuration, `instance` an `address:port`, `service` a\n"
         "name under `register:`, `code` a status class (`1xx`, `2xx`, `3xx`, `4xx`, `5xx`).\n"
         "Every other label has the closed list that its row names.\n";
  return out.str();
}

}  // namespace pilotfish::metrics
