#include "resolver/cares_channel.hpp"

#include <algorithm>
#include <ares.h>
#include <list>
#include <optional>
#include <string>
#include <sys/time.h>

#include "resolver/cares_io.hpp"
#include "resolver/descriptor_watch.hpp"
#include "resolver/trim.hpp"

namespace pilotfish::resolver {
namespace {

constexpr std::uint16_t kFormerr = 1;
constexpr std::uint16_t kServfail = 2;
constexpr std::uint16_t kNotimp = 4;
constexpr std::uint16_t kRefused = 5;

/// A question in flight. Shared by the waiting coroutine and by c-ares, whichever lives longer.
struct Pending {
  Pending(net::Executor executor, Question asked, TimePoint deadline)
      : question(std::move(asked)), timer(executor, deadline) {}

  void end(AskResult with) {
    if (!result) {
      result = std::move(with);
      timer.cancel();
    }
  }

  Question question;
  net::Timer timer;
  std::optional<AskResult> result;
  bool saw_garbage = false;
  bool saw_servfail = false;
  bool saw_refused = false;
};

std::string server_list(const std::vector<Endpoint>& servers) {
  std::string out;
  for (const auto& server : servers) {
    out += (out.empty() ? "" : ",") + server.to_string();
  }
  return out;
}

}  // namespace

LookupResult result_of(AskFault fault) {
  switch (fault) {
    case AskFault::kTimeout:
    case AskFault::kCancelled: return LookupResult::kTimeout;
    case AskFault::kUnreachable: return LookupResult::kUnreachable;
    case AskFault::kServfail: return LookupResult::kServfail;
    case AskFault::kRefused: return LookupResult::kRefused;
    case AskFault::kMalformed: return LookupResult::kMalformed;
  }
  return LookupResult::kMalformed;
}

class CaresChannel::Impl final : public DatagramFilter,
                                 public std::enable_shared_from_this<CaresChannel::Impl> {
 public:
  Impl(net::Executor executor, ChannelOptions options)
      : executor_(executor), options_(std::move(options)), timer_(executor) {}
  ~Impl() override { close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  net::Awaitable<AskResult> ask(Question question, TimePoint deadline);
  void close();

 private:
  struct Slot {  // what c-ares holds as the callback's argument
    Impl* owner;
    std::shared_ptr<Pending> pending;
    std::list<Slot*>::iterator place;
  };

  bool admit(std::span<const std::uint8_t> datagram) override;
  bool open();
  void destroy_channel();
  void finish(Pending& pending, int status, std::span<const std::uint8_t> bytes);
  void on_ready(int descriptor, bool readable);
  void arm_timer();
  static void on_answer(void* arg, int status, int timeouts, unsigned char* data, int size);
  static void on_socket(void* arg, ares_socket_t descriptor, int readable, int writable);

  net::Executor executor_;
  ChannelOptions options_;
  ares_channel channel_ = nullptr;
  std::optional<DescriptorWatch> watch_;
  net::Timer timer_;
  bool timer_armed_ = false;
  bool closed_ = false;
  bool several_servers_ = false;
  bool rebuild_ = false;  // once idle: EDNS was switched off, or resolv.conf may have changed
  std::list<Slot*> slots_;
  std::optional<DnsAnswer> admitted_;  // parsed by admit() for the callback that follows it
};

bool CaresChannel::Impl::open() {
  if (channel_ != nullptr && rebuild_ && slots_.empty()) {
    destroy_channel();
  }
  if (channel_ != nullptr) {
    return true;
  }
  rebuild_ = false;
  const bool loopback = !options_.servers.empty() &&
                        std::ranges::all_of(options_.servers, [](const Endpoint& server) {
                          return server.address.is_loopback();
                        });
  ares_options options{};
  options.flags = ARES_FLAG_EDNS | ARES_FLAG_IGNTC | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  // A new socket has a new source port, which a forger off the path would have to guess. On
  // loopback there is none, and keeping the socket saves five system calls a lookup.
  options.flags |= options_.tcp ? ARES_FLAG_USEVC : loopback ? ARES_FLAG_STAYOPEN : 0;
  // With one server its SERVFAIL is the answer; with several, c-ares goes on to the next.
  several_servers_ = options_.servers.size() != 1;
  options.flags |= several_servers_ ? 0 : ARES_FLAG_NOCHECKRESP;
  options.ednspsz = static_cast<int>(kAdvertisedSize);
  options.tries = 2;
  // c-ares takes 9/16 to 16/16 of it at random, twice that for the second try: a lost datagram is
  // repeated after a third to three fifths of the deadline, which is kept by our own timer. On TCP
  // it gives up after one try (it does not repeat on the same connection), so that one is longer
  // than any deadline asked for.
  const auto servers =
      static_cast<Duration::rep>(std::max<std::size_t>(1, options_.servers.size()));
  const auto share = options_.tcp ? options_.timeout * 4 : options_.timeout * 3 / (5 * servers);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(share).count();
  options.timeout = static_cast<int>(std::clamp<std::int64_t>(millis, 5, 60000));
  options.sock_state_cb = &Impl::on_socket;
  options.sock_state_cb_data = this;
  watch_.emplace(executor_,
                 [this](int descriptor, bool readable) { on_ready(descriptor, readable); });
  const int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TRIES | ARES_OPT_TIMEOUTMS |
                   ARES_OPT_SOCK_STATE_CB;
  // ares_library_init is only needed on Windows; ares_init_options reads resolv.conf.
  if (ares_init_options(&channel_, &options, mask) != ARES_SUCCESS) {
    channel_ = nullptr;
    return false;
  }
  install_socket_calls(channel_, *this);
  if (!options_.servers.empty()) {
    const auto list = server_list(options_.servers);
    if (ares_set_servers_ports_csv(channel_, list.c_str()) != ARES_SUCCESS) {
      destroy_channel();
      return false;
    }
  }
  return true;
}

void CaresChannel::Impl::destroy_channel() {
  if (channel_ != nullptr) {
    auto* const channel = channel_;
    channel_ = nullptr;  // callbacks that run now must not find it
    ares_destroy(channel);
  }
}

void CaresChannel::Impl::close() {
  closed_ = true;
  timer_.cancel();
  destroy_channel();
}

net::Awaitable<AskResult> CaresChannel::Impl::ask(Question question, TimePoint deadline) {
  const auto self = shared_from_this();
  if (closed_ || !open()) {
    co_return AskResult(closed_ ? AskFault::kCancelled : AskFault::kUnreachable);
  }
  const auto pending = std::make_shared<Pending>(executor_, std::move(question), deadline);
  auto* const slot = new Slot{this, pending, {}};  // freed by on_answer, which c-ares always calls
  slot->place = slots_.insert(slots_.end(), slot);
  constexpr int kClassIn = 1;
  ares_query(channel_, pending->question.name.c_str(), kClassIn,
             static_cast<int>(pending->question.type), &Impl::on_answer, slot);
  arm_timer();
  if (!pending->result) {
    (void)co_await pending->timer.async_wait(net::kTuple);
  }
  if (!pending->result) {
    // Left to c-ares, which forgets it after its last try; nobody listens to it any more.
    rebuild_ = rebuild_ || options_.servers.empty();
    pending->result = pending->saw_garbage ? AskFault::kMalformed : AskFault::kTimeout;
  }
  co_return std::move(*pending->result);
}

bool CaresChannel::Impl::admit(std::span<const std::uint8_t> datagram) {
  admitted_.reset();
  const auto question = parse_question(datagram);
  const auto* asked = std::get_if<Question>(&question);
  std::optional<DnsAnswer> answer;
  if (asked != nullptr) {
    auto parsed = parse_answer(datagram, *asked);
    if (auto* good = std::get_if<DnsAnswer>(&parsed)) {
      answer = std::move(*good);
    }
  }
  for (const auto* slot : slots_) {
    auto& pending = *slot->pending;
    if (asked != nullptr && (asked->type != pending.question.type ||
                             asked->name != lower_case(pending.question.name))) {
      continue;
    }
    pending.saw_garbage = pending.saw_garbage || !answer;
    if (answer) {
      pending.saw_servfail = answer->rcode == kServfail || answer->rcode == kNotimp;
      pending.saw_refused = answer->rcode == kRefused;
    }
  }
  if (!answer) {
    return false;
  }
  if (answer->rcode == kFormerr && !answer->has_opt) {
    rebuild_ = true;
  }
  // Longer than advertised: the receive buffer cut it, and so would c-ares.
  answer->truncated = answer->truncated || datagram.size() > kAdvertisedSize;
  admitted_ = std::move(answer);
  return true;
}

void CaresChannel::Impl::finish(Pending& pending, int status, std::span<const std::uint8_t> bytes) {
  if (!bytes.empty()) {
    if (admitted_ && !options_.tcp) {
      pending.end(std::move(*admitted_));
      admitted_.reset();
      return;
    }
    auto parsed = parse_answer(bytes, pending.question);
    if (auto* good = std::get_if<DnsAnswer>(&parsed)) {
      pending.end(std::move(*good));
    } else {
      pending.end(AskFault::kMalformed);
    }
    return;
  }
  if (status == ARES_ECANCELLED || status == ARES_EDESTRUCTION) {
    pending.end(AskFault::kCancelled);
  } else if (pending.saw_refused) {
    pending.end(AskFault::kRefused);
  } else if (pending.saw_servfail) {
    pending.end(AskFault::kServfail);
  } else if (status == ARES_ETIMEOUT) {
    pending.end(pending.saw_garbage ? AskFault::kMalformed : AskFault::kTimeout);
  } else if (status == ARES_EBADNAME || status == ARES_EFORMERR || status == ARES_EBADRESP) {
    pending.end(AskFault::kMalformed);
  } else {
    pending.end(AskFault::kUnreachable);
  }
}

void CaresChannel::Impl::on_answer(void* arg, int status, int, unsigned char* data, int size) {
  const std::unique_ptr<Slot> slot(static_cast<Slot*>(arg));
  auto& self = *slot->owner;
  self.slots_.erase(slot->place);
  std::span<const std::uint8_t> bytes;
  if (data != nullptr && size > 0) {
    bytes = {data, static_cast<std::size_t>(size)};
  }
  self.finish(*slot->pending, status, bytes);
}

void CaresChannel::Impl::on_socket(void* arg, ares_socket_t descriptor, int readable,
                                   int writable) {
  static_cast<Impl*>(arg)->watch_->watch(descriptor, readable != 0, writable != 0);
}

void CaresChannel::Impl::on_ready(int descriptor, bool readable) {
  const auto self = shared_from_this();
  if (channel_ != nullptr) {
    ares_process_fd(channel_, readable ? descriptor : ARES_SOCKET_BAD,
                    readable ? ARES_SOCKET_BAD : descriptor);
    arm_timer();
  }
}

void CaresChannel::Impl::arm_timer() {
  if (timer_armed_ || channel_ == nullptr || slots_.empty()) {
    return;  // an armed timer fires at most one try too early, then looks again
  }
  timeval wait{};
  if (ares_timeout(channel_, nullptr, &wait) == nullptr) {
    return;
  }
  timer_armed_ = true;
  timer_.expires_after(std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec) +
                       std::chrono::milliseconds(1));
  timer_.async_wait([weak = weak_from_this()](net::ErrorCode) {
    if (const auto self = weak.lock()) {
      self->timer_armed_ = false;
      if (self->channel_ != nullptr) {
        ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        self->arm_timer();
      }
    }
  });
}

CaresChannel::CaresChannel(net::Executor executor, ChannelOptions options)
    : impl_(std::make_shared<Impl>(executor, std::move(options))) {}

CaresChannel::~CaresChannel() {
  impl_->close();
}

net::Awaitable<AskResult> CaresChannel::ask(Question question, TimePoint deadline) {
  return impl_->ask(std::move(question), deadline);
}

void CaresChannel::close() {
  impl_->close();
}

}  // namespace pilotfish::resolver
