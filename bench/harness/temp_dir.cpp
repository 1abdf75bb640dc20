#include "bench/harness/temp_dir.hpp"

#include <cerrno>
#include <cstdlib>

namespace pilotfish::bench {

TempDir::TempDir(const std::string& prefix) {
  std::string name = (std::filesystem::temp_directory_path() / (prefix + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::filesystem::filesystem_error("cannot make a temporary directory", name,
                                            std::error_code(errno, std::generic_category()));
  }
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace pilotfish::bench
