#include "app/state_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "app/descriptor.hpp"

namespace pilotfish::app {
namespace {

std::string failed(const char* what) {
  return std::string(what) + ": " + std::generic_category().message(errno);
}

bool write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) {
      return false;
    }
    done += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  return true;
}

std::string write_new(const std::string& path, const std::string& text) {
  const Descriptor file(::open(path.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                               S_IRUSR | S_IWUSR));
  if (!file) {
    return failed("open");
  }
  if (!write_all(file.get(), text)) {
    return failed("write");
  }
  return ::fsync(file.get()) == 0 ? "" : failed("fsync");
}

}  // namespace

StateText read_state_file(const std::string& path, std::size_t max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) {
    return errno == ENOENT ? StateText{} : StateText{std::nullopt, failed("open")};
  }
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) {
    return {std::nullopt, failed("stat")};
  }
  if (!S_ISREG(about.st_mode)) {
    return {std::nullopt, "it is no regular file"};
  }
  if (about.st_size < 0 || static_cast<std::size_t>(about.st_size) > max) {
    return {std::nullopt, "it is too large"};
  }
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const auto count = ::read(file.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return {std::nullopt, failed("read")};
    }
    if (count == 0) {
      break;  // somebody cut it; what is left will not decode
    }
    done += static_cast<std::size_t>(count);
  }
  text.resize(done);
  return {std::move(text), ""};
}

std::string replace_state_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".tmp";
  if (auto problem = write_new(fresh, text); !problem.empty()) {
    return problem;
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return failed("rename");
  }
  const auto parent = std::filesystem::path(path).parent_path();
  const Descriptor directory(
      ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC));
  return directory && ::fsync(directory.get()) == 0 ? "" : failed("fsync of the directory");
}

std::string prepare_state_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return "create: " + error.message();
  }
  return ::access(path.c_str(), R_OK | W_OK | X_OK) == 0 ? "" : failed("access");
}

}  // namespace pilotfish::app
