#pragma once

#include <filesystem>
#include <string>

namespace pilotfish::bench {

/// A directory under TMPDIR that goes with the object. Throws std::filesystem::filesystem_error.
class TempDir {
 public:
  explicit TempDir(const std::string& prefix);
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace pilotfish::bench
