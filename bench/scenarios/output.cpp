#include "bench/scenarios/output.hpp"

#include <fstream>

#include "bench/harness/unavailable.hpp"
#include "bench/lab/display.hpp"
#include "bench/lab/print_result.hpp"
#include "bench/report/html_report.hpp"
#include "bench/report/json.hpp"

namespace pilotfish::bench {

namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw Unavailable(path.string() + " cannot be written");
}

}  // namespace

fs::path default_folder(const RunResult& result) {
  std::string digits;
  for (const char c : result.date) {
    if (c >= '0' && c <= '9') digits += c;
  }
  if (digits.size() == 14) digits.insert(8, "-");
  return fs::path("bench-results") / (result.scenario + "-" + digits);
}

void prepare_folder(const fs::path& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) throw Unavailable("--out " + folder.string() + ": " + ec.message());
}

void publish(const RunResult& result, const fs::path& folder) {
  print_table(result);
  write_file(folder / "result.json", to_json(result));
  write_file(folder / "report.html", report_html(result));
  write_out("\n" + (folder / "result.json").string() + "\n" + (folder / "report.html").string() +
            "\n");
}

}  // namespace pilotfish::bench
