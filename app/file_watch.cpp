#include "app/file_watch.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <filesystem>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace pilotfish::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Editors write in several steps: it must be quiet for so long, but nobody waits for ever.
constexpr Duration kQuiet = 100ms;
constexpr Duration kMost = 1s;
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM |
                                  IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_ONLYDIR;
constexpr int kMostLinks = 40;  // as the kernel has it

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

FileStamp file_stamp(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    return std::nullopt;
  }
  return std::tuple(std::uint64_t{about.st_dev}, std::uint64_t{about.st_ino},
                    std::int64_t{about.st_size}, std::int64_t{about.st_mtim.tv_sec},
                    std::int64_t{about.st_mtim.tv_nsec});
}

std::vector<std::string> folders_to_watch(const std::string& path) {
  std::vector<std::string> folders;
  const auto add = [&folders](const fs::path& folder) {
    if (std::ranges::find(folders, folder.string()) == folders.end()) {
      folders.push_back(folder.string());
    }
  };
  fs::path at = path;
  for (int links = 0; links < kMostLinks; ++links) {
    // A link among the folders on the way changes where it stands itself.
    fs::path way;
    for (const auto& part : folder_of(at)) {
      way /= part;
      std::error_code error;
      if (fs::is_symlink(way, error)) {
        add(folder_of(way));
      }
    }
    add(folder_of(at));
    std::error_code error;
    const auto target = fs::read_symlink(at, error);
    if (error) {
      break;
    }
    at = target.is_absolute() ? target : folder_of(at) / target;
  }
  return folders;
}

struct FileWatch::Impl : std::enable_shared_from_this<FileWatch::Impl> {
  Impl(net::IoContext& io, std::string path_in, FileStamp known_in, Logger& logger_in,
       std::function<void()> on_change_in)
      : path(std::move(path_in)),
        known(known_in),
        logger(logger_in),
        on_change(std::move(on_change_in)),
        events(io.get_executor()),
        timer(io.get_executor()) {}

  bool watch_folders();
  net::Awaitable<void> run(std::shared_ptr<Impl> self);
  void swallow();

  std::string path;
  FileStamp known;
  Logger& logger;
  std::function<void()> on_change;
  boost::asio::posix::basic_stream_descriptor<net::Executor> events;
  net::Timer timer;
};

bool FileWatch::Impl::watch_folders() {
  bool any = false;
  // The same folder again is the same watch; those that lead nowhere any more end by themselves.
  for (const auto& folder : folders_to_watch(path)) {
    any = ::inotify_add_watch(events.native_handle(), folder.c_str(), kEvents) >= 0 || any;
  }
  return any;
}

void FileWatch::Impl::swallow() {
  std::array<char, 4096> buffer{};
  while (::read(events.native_handle(), buffer.data(), buffer.size()) > 0) {
  }
}

net::Awaitable<void> FileWatch::Impl::run(std::shared_ptr<Impl> self) {
  const auto kept = std::move(self);  // whoever made us may be gone when this wakes
  using Descriptor = boost::asio::posix::basic_stream_descriptor<net::Executor>;
  while (events.is_open()) {
    // Looked at after the watches stand: nothing in between is missed.
    if (const auto now = file_stamp(path); now && now != known) {
      known = now;
      on_change();
    }
    const auto woken = co_await events.async_wait(Descriptor::wait_read, net::kTuple);
    if (std::get<0>(woken)) {
      co_return;
    }
    const auto limit = Clock::now() + kMost;
    auto before = file_stamp(path);
    for (;;) {
      swallow();
      timer.expires_after(kQuiet);
      const auto paused = co_await timer.async_wait(net::kTuple);
      if (std::get<0>(paused) || !events.is_open()) {
        co_return;
      }
      if (const auto now = file_stamp(path); now == before || Clock::now() >= limit) {
        break;
      } else {
        before = now;
      }
    }
    (void)watch_folders();
  }
}

FileWatch::FileWatch(net::IoContext& io, std::string path, FileStamp known, Logger& logger,
                     std::function<void()> on_change)
    : impl_(std::make_shared<Impl>(io, std::move(path), known, logger, std::move(on_change))) {}

FileWatch::~FileWatch() {
  net::ErrorCode ignored;
  (void)impl_->events.close(ignored);
  impl_->timer.cancel();
}

bool FileWatch::start() {
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor >= 0) {
    impl_->events.assign(descriptor);
  }
  if (descriptor < 0 || !impl_->watch_folders()) {
    impl_->logger.warn("--watch: the file's folder cannot be watched; SIGHUP still reloads",
                       {{"file", impl_->path}, {"error", std::generic_category().message(errno)}});
    return false;
  }
  boost::asio::co_spawn(impl_->timer.get_executor(), impl_->run(impl_), boost::asio::detached);
  return true;
}

}  // namespace pilotfish::app
