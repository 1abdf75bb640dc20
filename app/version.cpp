#include <CLI/Version.hpp>
#include <ares_version.h>
#include <boost/version.hpp>
#include <spdlog/version.h>
#include <sstream>

#include "app/build_info.hpp"

namespace pilotfish::app {

std::string version_text() {
  const BuildInfo info = build_info();
  std::ostringstream out;
  const auto line = [&out](std::string_view name, std::string_view value) {
    out << name << std::string(16 - name.size(), ' ')
        << (value.empty() ? std::string_view("unknown") : value) << '\n';
  };
  line("pilotfish", info.version);
  line("commit", info.commit);
  line("compiler", info.compiler);
  line("build", info.build_type);
  std::ostringstream boost;
  boost << BOOST_VERSION / 100000 << '.' << BOOST_VERSION / 100 % 1000 << '.'
        << BOOST_VERSION % 100;
  line("boost", boost.str());
  line("c-ares", ARES_VERSION_STR);
  line("yaml-cpp", info.yaml_cpp);
  line("prometheus-cpp", info.prometheus_cpp);
  std::ostringstream spdlog;
  spdlog << SPDLOG_VER_MAJOR << '.' << SPDLOG_VER_MINOR << '.' << SPDLOG_VER_PATCH;
  line("spdlog", spdlog.str());
  line("CLI11", CLI11_VERSION);
  return out.str();
}

}  // namespace pilotfish::app
