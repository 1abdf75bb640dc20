#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/log.hpp"
#include "net/asio.hpp"

namespace pilotfish::app {

/// What tells one content of a file from the next without reading it; nothing where there is none.
using FileStamp = std::optional<
    std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t>>;
/// Follows links.
[[nodiscard]] FileStamp file_stamp(const std::string& path);

/// The folders in which a change may give `path` another content: its own, and that of every link
/// on the way to the file. (A Kubernetes ConfigMap swaps a link to a folder beside the file.)
[[nodiscard]] std::vector<std::string> folders_to_watch(const std::string& path);

/// Tells when a file has another content: written in place, replaced by a rename, or behind a link
/// that leads somewhere else. Folders are watched (inotify(7)), never the file, so that replacing
/// it does not end the watch; several changes at once are one.
/// Ownership: `logger` outlives it. Thread-safety: none; one executor.
class FileWatch {
 public:
  /// `known`: the content that the owner has read already.
  FileWatch(net::IoContext& io, std::string path, FileStamp known, Logger& logger,
            std::function<void()> on_change);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// False where the system does not let us watch; the log says why.
  bool start();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace pilotfish::app
