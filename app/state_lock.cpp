#include "app/state_lock.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "app/state_file.hpp"

namespace pilotfish::app {
namespace {

std::string failed(const char* what) {
  return std::string(what) + ": " + std::generic_category().message(errno);
}

/// " (pid 123)", or nothing.
std::string holder(int file) {
  std::array<char, 32> text{};
  const auto size = ::pread(file, text.data(), text.size(), 0);
  std::string pid;
  for (ssize_t i = 0; i < size && text.at(static_cast<std::size_t>(i)) >= '0' &&
                      text.at(static_cast<std::size_t>(i)) <= '9';
       ++i) {
    pid += text.at(static_cast<std::size_t>(i));
  }
  return pid.empty() ? "" : " (pid " + pid + ")";
}

}  // namespace

StateLock::Taken StateLock::take(const std::string& directory,
                                 const std::shared_ptr<const StateLock>& held) {
  if (auto problem = prepare_state_directory(directory); !problem.empty()) {
    return {nullptr, std::move(problem), false};
  }
  Descriptor file(::open((directory + "/lock").c_str(),
                         O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                         S_IRUSR | S_IWUSR));
  struct stat about {};
  if (!file || ::fstat(file.get(), &about) != 0) {
    return {nullptr, failed("open the lock"), false};
  }
  if (held && held->device_ == about.st_dev && held->inode_ == about.st_ino) {
    return {held, "", false};
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return {nullptr,
              "state_dir: " + directory + " is in use by another pilotfish" + holder(file.get()) +
                  "; give each process a directory of its own",
              true};
    }
    return {nullptr, failed("lock"), false};
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) == 0) {
    (void)!::pwrite(file.get(), pid.data(), pid.size(), 0);  // only for the other one's message
  }
  return {
      std::shared_ptr<const StateLock>(new StateLock(std::move(file), about.st_dev, about.st_ino)),
      "", false};
}

}  // namespace pilotfish::app
