#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "core/endpoint.hpp"
#include "core/tier_answer.hpp"
#include "net/asio.hpp"
#include "resolver/dns_message.hpp"

namespace pilotfish::resolver {

/// How asking a server ended where no believable answer came.
enum class AskFault : std::uint8_t {
  kTimeout,
  kUnreachable,  ///< every server refused the datagram or the connection, or closed it
  kServfail,     ///< each of several servers said SERVFAIL or NOTIMP
  kRefused,      ///< each of several servers said REFUSED (or SERVFAIL)
  kMalformed,    ///< only unbelievable answers came until the deadline
  kCancelled,
};

/// The same as the result of a lookup.
[[nodiscard]] LookupResult result_of(AskFault fault);

using AskResult = std::variant<DnsAnswer, AskFault>;

struct ChannelOptions {
  std::vector<Endpoint> servers;  ///< empty: the system's resolvers (resolv.conf)
  Duration timeout{};             ///< of a whole question
  bool tcp = false;
};

/// Asks DNS servers over c-ares 1.18.1, driven by the executor's loop; c-ares carries bytes,
/// repeats lost datagrams, fails over and steps back from EDNS. What is an answer is decided here:
/// datagrams pass parse_answer() before c-ares sees them, so that garbage and forgeries (QR=0,
/// foreign owners, empty datagrams, ...) are dropped and the right answer is still waited for.
/// c-ares itself drops wrong ids, other questions and other senders.
///
/// Facts this rests on: cancelling is per channel, and neither ares_cancel nor ares_destroy may be
/// called inside a callback, so callbacks only note the end and wake the coroutine; an abandoned
/// question stays with c-ares until its last try ends (below twice the timeout). One FORMERR
/// without OPT switches EDNS off for the channel's life, so the channel is rebuilt once idle. TC is
/// not followed by c-ares (ARES_FLAG_IGNTC): the caller asks again on a TCP channel. On TCP, bytes
/// that answer another question are skipped by c-ares and end as a timeout.
/// Only this class and cares_io include <ares.h>. Thread-safety: none; one executor.
class CaresChannel {
 public:
  CaresChannel(net::Executor executor, ChannelOptions options);
  ~CaresChannel();  ///< never inside a callback; questions in flight end as kCancelled
  CaresChannel(const CaresChannel&) = delete;
  CaresChannel& operator=(const CaresChannel&) = delete;

  /// Suspends until an answer, a fault, or the deadline.
  [[nodiscard]] net::Awaitable<AskResult> ask(Question question, TimePoint deadline);

  /// Ends everything in flight as kCancelled; later questions end so at once.
  void close();

  class Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

/// What names are looked up through: the same servers both ways.
struct NameTransport {
  std::shared_ptr<CaresChannel> udp;
  std::shared_ptr<CaresChannel> tcp;
};

}  // namespace pilotfish::resolver
