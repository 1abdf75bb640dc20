#pragma once

#include <string>
#include <string_view>

namespace pilotfish::app {

/// What was built, filled in by CMake (build_info.cpp.in).
struct BuildInfo {
  std::string_view version;
  std::string_view commit;
  std::string_view compiler;
  std::string_view build_type;
  std::string_view yaml_cpp;
  std::string_view prometheus_cpp;
};
[[nodiscard]] BuildInfo build_info();

/// `pilotfish version`: version, commit, compiler and the libraries' versions, one a line.
[[nodiscard]] std::string version_text();

}  // namespace pilotfish::app
