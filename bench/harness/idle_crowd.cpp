#include "bench/harness/idle_crowd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>

#include "bench/harness/answer_reader.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::string_view kRequest = "GET /100 HTTP/1.1\r\nHost: bench\r\n\r\n";
constexpr std::size_t kAtOnce = 64;
constexpr unsigned kPerSource = 20'000;  // below the ports that one address has

bool wait_for(int fd, short events, TimePoint until) {
  pollfd wanted{fd, events, 0};
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
  return left > 0 && ::poll(&wanted, 1, static_cast<int>(left)) == 1;
}

std::string ask(int fd, TimePoint until) {
  if (!wait_for(fd, POLLOUT, until)) return "a connection is not accepted in time";
  if (const int error = connect_error(fd); error != 0) return std::strerror(error);
  const auto sent = ::send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(kRequest.size()) ? "" : "a request cannot be written";
}

std::string hear(int fd, TimePoint until) {
  AnswerReader answer;
  answer.expect_http();
  std::array<char, 4096> buffer{};
  for (;;) {
    if (!wait_for(fd, POLLIN, until)) return "no answer in time";
    const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return "the connection was closed before the answer";
    const auto progress = answer.feed({buffer.data(), static_cast<std::size_t>(got)});
    if (progress == AnswerReader::Progress::kBad) return "an answer that is not understood";
    if (progress == AnswerReader::Progress::kMore) continue;
    return answer.status() == 200 ? "" : "status " + std::to_string(answer.status());
  }
}

}  // namespace

IdleCrowd::IdleCrowd(const std::vector<Endpoint>& targets, std::size_t count, Duration limit) {
  const auto until = Clock::now() + limit;
  connections_.reserve(count);
  while (connections_.size() < count && error_.empty()) {
    const auto first = connections_.size();
    const auto last = std::min(first + kAtOnce, count);
    for (auto i = first; i < last && error_.empty(); ++i) {
      auto socket =
          connect_to(targets[i % targets.size()], 1 + static_cast<unsigned>(i) / kPerSource);
      if (!socket.open()) {
        error_ = std::strerror(errno);
        break;
      }
      connections_.push_back(std::move(socket));
      error_ = ask(connections_.back().get(), until);
    }
    for (auto i = first; i < connections_.size() && error_.empty(); ++i) {
      error_ = hear(connections_[i].get(), until);
    }
  }
}

}  // namespace pilotfish::bench
