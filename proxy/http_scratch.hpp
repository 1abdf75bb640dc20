#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "balancer/cluster.hpp"
#include "http/head.hpp"
#include "net/write.hpp"

namespace pilotfish::proxy {

class Opening;

/// What a session needs while a request runs and not between two of them: rewritten heads, who was
/// tried, what is still to be written. Thread-safety: none.
struct HttpScratch {
  static constexpr std::size_t kMostTried = 16;
  /// What is kept from one use to the next: room for usual heads, so that steady traffic allocates
  /// none, and no more, so that one flood of large ones does not stay for good.
  static constexpr std::size_t kKeptText = 4096;
  static constexpr std::size_t kKeptFields = 64;

  std::string request_bytes;
  std::string answer_bytes;
  std::string cookies;  ///< what is left of the request's; then the field that sets ours
  std::vector<http::Field> request_fields;  ///< memory for the next heads
  std::vector<http::Field> answer_fields;
  std::array<balancer::InstanceState*, kMostTried> tried{};
  std::array<balancer::InstanceRef, kMostTried> tried_refs{};
  std::string connection_names;  ///< of the answer's `Connection`, for its trailers
  net::Gather rest;              ///< what did not go out at once
  std::size_t to_send = 0;       ///< bytes of this try, as far as they were there when it began
  bool sent_at_once = false;     ///< all of the request, in one go
  bool ended_first = false;      ///< the instance's FIN was the first that came
  Opening* opening = nullptr;    ///< while a connection is opened

  /// Gives back what is above that.
  void trim() {
    for (auto* text : {&request_bytes, &answer_bytes, &cookies, &connection_names}) {
      if (text->capacity() > kKeptText) {
        std::string().swap(*text);
      }
    }
    for (auto* fields : {&request_fields, &answer_fields}) {
      if (fields->capacity() > kKeptFields) {
        std::vector<http::Field>().swap(*fields);
      }
    }
  }
};
using HttpScratchPtr = std::unique_ptr<HttpScratch>;

/// Recycles them, with the memory they have grown up to a bound, so that steady traffic allocates
/// none and idle connections hold none. Ownership: one per worker. Thread-safety: none.
class HttpScratchPool {
 public:
  /// Kept for reuse; more than this go back to the heap.
  static constexpr std::size_t kKept = 512;

  HttpScratchPtr take() {
    if (free_.empty()) {
      return std::make_unique<HttpScratch>();
    }
    auto scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
  }
  void give(HttpScratchPtr scratch) {
    if (free_.size() < kKept) {
      scratch->trim();
      free_.push_back(std::move(scratch));
    }
  }

 private:
  std::vector<HttpScratchPtr> free_;
};

}  // namespace pilotfish::proxy
