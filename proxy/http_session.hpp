#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/body.hpp"
#include "http/h1_writer.hpp"
#include "http/head.hpp"
#include "http/head_scan.hpp"
#include "net/notifier.hpp"
#include "net/splice.hpp"
#include "net/write.hpp"
#include "proxy/client_deadline.hpp"
#include "proxy/connection.hpp"
#include "proxy/foreign_protocol.hpp"
#include "proxy/http_scratch.hpp"
#include "proxy/request_body.hpp"
#include "proxy/route.hpp"
#include "proxy/upstream.hpp"
#include "proxy/worker.hpp"

namespace pilotfish::proxy {

/// One client connection of an `http` upstream: reads heads, has each request answered by an
/// instance (tries, retries, our own errors), relays bodies both ways, one request after another.
/// Read http_session.cpp first, then http_exchange.cpp (one request), http_choose.cpp,
/// http_try.cpp, http_errors.cpp, http_upload.cpp and http_download.cpp (its two directions).
/// Ownership: owns itself through its coroutine, or through whoever waits for its next event.
/// Thread-safety: none.
class HttpSession final : public Session, private net::HangUpWatcher {
 public:
  HttpSession(std::shared_ptr<Worker> worker, std::shared_ptr<const RouteTable> routes,
              ClientStream client);
  ~HttpSession() override;

  using Self = std::unique_ptr<HttpSession>;
  /// The session's life from its first byte on. Between requests, and during usual ones, there is
  /// no coroutine: whoever waits for the next event owns `self` (http_quick.cpp).
  static net::Awaitable<void> start(Self self);

  void drain() override;
  void leave() override;
  void cut() override;

 private:
  /// The client left a request that runs: it has no one to answer.
  void hung_up() override {
    left_ = true;
    cut();
  }
  /// How a request ended whose client gets no answer.
  [[nodiscard]] std::string_view gone() const {
    return cut_ && !left_ ? "drain_ended" : "client_gone";
  }

  enum class HeadRead : std::uint8_t { kRequest, kClosed, kRefused };

  /// How one try on an instance ended, before anything of a final answer was passed on.
  enum class TryEnd : std::uint8_t {
    kAnswer,     ///< a final head is in answer_
    kSwitched,   ///< 101 to an upgrade
    kReset,      ///< broken before the head was whole
    kBadAnswer,  ///< no HTTP, or HTTP we refuse
    kTimeout,    ///< request_timeout
    kClientGone,
    kClientStalled,
    kBadBody,  ///< the client's body is malformed
    kBodyTooLarge,
  };

  /// Where the coroutine takes a request over from the quick way (http_quick.cpp).
  enum class Step : std::uint8_t {
    kHead,           ///< a head is to be read, from its first byte on
    kHeadWaitEnded,  ///< the same, and the wait for it ended, as send_error_ says
    kRefused,        ///< a head was read and is refused
    kRequest,        ///< a head was read
    kBadBody,        ///< its body is refused, as tried_end_ says
    kChoose,         ///< an instance is picked, but has no idle connection
    kSend,           ///< the request did not go out in one piece
    kReadAnswer,     ///< the answer's head is not whole, or not final
    kTried,          ///< the try ended as tried_end_ says
    kRest,           ///< the answer did not go out in one piece
    kWaits,          ///< nothing to take over: the answer will come
  };

  // http_quick.cpp: the usual request
  class QuickTurn;
  /// The following own the session for the time being. They return true where an event will come
  /// (`self` waits for it then), false where the coroutine goes on at step_.
  bool quick_next(Self& self, TimePoint now);
  bool quick_client(Self& self, net::ErrorCode error);
  bool quick_answer(Self& self, net::ErrorCode error);
  bool quick_send(Self& self, TimePoint now);
  /// Up to the request's being sent: kWaits, or where to go on.
  Step quick_request(TimePoint now);
  void await_client(Self& self);
  void await_instance(Self& self);
  bool stop_quick(Step step);
  bool stop_try(TryEnd end);
  /// Passes the answer; true where it is through.
  bool quick_relay(Connection& connection, TimePoint now);
  /// The answer went to the client, or send_error_ says why not.
  void quick_end(TimePoint now);

  // http_session.cpp: the connection
  /// Idle from now on, within its deadline.
  void wait_for_request(TimePoint now);
  /// What an ended wait for a head means; nullopt: read on.
  [[nodiscard]] std::optional<HeadRead> judge_wait(net::ErrorCode error);
  net::Awaitable<void> refuse_head();
  /// The client speaks something else than HTTP/1.1: says so, in its own way.
  net::Awaitable<void> refuse_protocol(Foreign protocol);
  /// How long an idle connection may still send a request during a drain.
  [[nodiscard]] TimePoint drain_until(TimePoint now) const;
  /// What is not usual: goes on at step_, until the next request.
  static net::Awaitable<void> run(Self self);
  net::Awaitable<void> serve();
  net::Awaitable<void> close();
  void take_scratch();
  void give_scratch();
  /// `waited`: bytes may be there already.
  net::Awaitable<HeadRead> read_head(bool waited);
  [[nodiscard]] HeadRead judge_head();
  net::Awaitable<void> refuse(int status, std::string_view error, std::string_view text);
  net::Awaitable<void> linger();
  void end_request(std::string_view error, TimePoint now);

  // http_exchange.cpp: one request
  /// From the head on, or from where the quick way left it.
  net::Awaitable<void> exchange(Step step);
  void start_request();
  void take_cookie();                             // http_select.cpp
  void select();                                  // the same
  [[nodiscard]] std::string_view cookie_field();  // the same
  void finish_request(TimePoint now);
  /// Bytes that were read behind a late body belong to what comes next.
  void take_late_input();
  [[nodiscard]] TryEnd begin_body();
  [[nodiscard]] balancer::PickContext pick_context(TimePoint now);
  [[nodiscard]] std::uint64_t wanted() const {
    return wanted_ != 0 && tiers_turn_ == upstream_->tiers_turn() ? wanted_ : 0;
  }
  /// The hot path: an idle connection of the picked instance, without suspending.
  [[nodiscard]] bool choose_pooled(TimePoint now);
  /// Nothing is lost where a try breaks before its answer.
  [[nodiscard]] bool repeatable() const {
    return http::is_idempotent(request_.method) && body_.complete();
  }
  /// A fresh lookup where the request needs one, then a connection; false: answered with an error.
  net::Awaitable<bool> choose();
  net::Awaitable<bool> connect(Opening& opening);
  [[nodiscard]] balancer::InstanceState* choose_instance(TimePoint now);
  void start_try(balancer::InstanceState& chosen, TimePoint now);
  // http_pause.cpp
  [[nodiscard]] bool pauses_before(const balancer::InstanceState& chosen) const;
  /// retry.backoff, within what is left of request_timeout; false: answered with an error.
  net::Awaitable<bool> pause(TimePoint now);
  void finish_try(balancer::Outcome outcome, TimePoint now);
  void finish_try(balancer::Outcome outcome) {
    if (try_open_) {
      finish_try(outcome, Clock::now());
    }
  }
  /// Writes the request as far as it goes at once: unsent_, send_error_, rest_.
  void begin_attempt();
  net::Awaitable<TryEnd> attempt(Step step);
  net::Awaitable<TryEnd> finish_attempt(Connection& connection);
  void note_headed(TimePoint now);
  [[nodiscard]] bool answer_may_be_retried(TimePoint now);
  [[nodiscard]] bool try_again(TryEnd end);
  /// The instance cannot have acted on the request of the try that broke.
  [[nodiscard]] bool untouched() const;
  [[nodiscard]] balancer::RetryVerdict ask_retry(balancer::RetryCause cause, TimePoint now);

  // http_errors.cpp: our own answers
  net::Awaitable<void> fail(TryEnd end);
  net::Awaitable<void> fail_open(const Opened& opened);
  void log_own(int status, std::string_view error, const std::string& text);
  void log_try(balancer::Outcome outcome, TimePoint ended) const {
    if (worker_->shared.log_tries) {
      write_try(outcome, ended);
    }
  }
  void write_try(balancer::Outcome outcome, TimePoint ended) const;
  net::Awaitable<void> answer_own(int status, std::string_view error, std::string text);
  /// `Max-Forwards: 0`: we are whom TRACE or OPTIONS wanted to hear.
  net::Awaitable<void> answer_last_hop();
  net::Awaitable<void> send_own(http::OwnAnswer& answer);

  // http_upload.cpp: the request's way up
  [[nodiscard]] bool prepare_request();
  void name_instance();
  [[nodiscard]] net::Gather request_gather();
  void start_pump(Connection& connection);
  net::Awaitable<void> stop_pump();
  net::Awaitable<void> pump(Connection& connection);
  /// What came of the body, checked and framed to go on; kAnswer where nothing is wrong.
  [[nodiscard]] TryEnd digest_body(std::span<char, 20> header, net::Gather& gather,
                                   std::size_t& used);
  /// The instance does not have the whole request yet.
  [[nodiscard]] bool still_uploading() const { return (pumping_ && !pumped_) || !body_.complete(); }
  /// The client sends its body when it is told to (RFC 9110 section 10.1.1), and was not.
  [[nodiscard]] bool awaits_continue() const {
    return request_.expect_continue && body_.received() == 0 && !continued_;
  }
  /// What became of the request, or a part of it, on its way to the instance.
  void note_sent(net::ErrorCode error);
  void pump_failed(Connection& connection, TryEnd problem);

  // http_download.cpp: the answer's way down
  enum class BodyEnd : std::uint8_t { kWhole, kCut, kBadStart, kClientGone };
  enum class ReadEnd : std::uint8_t { kBytes, kSpliced, kEnd, kBroken };
  net::Awaitable<TryEnd> read_answer(Connection& connection);
  [[nodiscard]] TryEnd read_failure(const Connection& connection) const;
  net::Awaitable<bool> pass_interim();
  void plan_answer();
  /// A drain (or a reload that moved the address) ends the connection with this answer, unless
  /// another request waits behind it.
  [[nodiscard]] bool drain_closes();
  net::Awaitable<void> relay_answer(Connection& connection);
  net::Awaitable<BodyEnd> relay_body(Connection& connection, http::BodyDecoder& decoder);
  [[nodiscard]] bool write_answer_end(const http::BodyDecoder& decoder, std::string& out);
  /// More of the answer, into `connection.in` or, at most `plain` bytes, into the pipe of `way`.
  net::Awaitable<ReadEnd> read_more(Connection& connection, net::SpliceWay& way,
                                    std::uint64_t plain);
  net::Awaitable<net::ErrorCode> drain_to_client(net::SpliceWay& way);
  net::Awaitable<net::ErrorCode> send_to_client(net::Gather gather);
  /// A write that had to wait ended: a reader that stalled for too long is reset in the end.
  void client_took(const net::ErrorCode& error) {
    reset_on_close_ = reset_on_close_ || (error && write_deadline_.expired());
    write_deadline_.clear();
  }
  net::Awaitable<void> switch_protocols(Connection& connection);
  void keep_request_line();

  /// A body of which this much is still to come is worth a pipe.
  static constexpr std::uint64_t kWorthAPipe = 16UL * 1024;

  /// The whole request is sent: the answer's time begins.
  void await_answer(Connection& connection);
  /// No further request is wanted on this connection.
  [[nodiscard]] bool ending() const { return worker_->draining || routes_->retired(); }
  [[nodiscard]] const UpstreamOptions& options() const { return upstream_->options(); }

  // Immutable
  std::shared_ptr<Worker> worker_;
  std::shared_ptr<const RouteTable> routes_;  ///< of the address it came in by
  std::shared_ptr<Upstream> upstream_;        ///< of the current request
  Endpoint client_endpoint_;
  std::string client_address_;

  // The quick way
  net::ErrorCode send_error_;
  Step step_ = Step::kHead;
  TryEnd tried_end_ = TryEnd::kAnswer;
  bool unsent_ = false;

  // The connection
  ClientStream client_;
  net::Buffer in_;  ///< the head being read or served, and what follows it
  ClientDeadline read_deadline_;
  ClientDeadline write_deadline_;
  http::HeadScan scan_;
  http::Refusal refusal_ = http::Refusal::kNone;
  bool alive_ = true;          ///< another request may follow
  bool unread_input_ = false;  ///< close must linger
  bool idle_ = false;          ///< waiting for the first byte of a request
  bool cut_ = false;
  bool left_ = false;  ///< cut because the client left
  bool first_request_ = true;
  TimePoint idle_since_{};
  std::uint32_t drained_ = 0;  ///< answers during a drain that let a pipelined request follow
  bool reset_on_close_ = false;

  // The request
  HttpScratchPtr scratch_;  ///< from judge_head() or refuse() until the connection is idle
  http::RequestHead request_;
  std::size_t head_size_ = 0;
  RequestBody body_;
  net::Buffer body_in_;      ///< body bytes that came after the head
  std::string request_end_;  ///< what follows the body's first part: chunk end, last chunk
  std::string late_end_;     ///< last chunk and trailers of a body that came later
  std::array<char, 20> first_header_{};  ///< chunk header of the body's first part
  std::array<char, 20> later_header_{};  ///< chunk header of what a repeat sends along
  std::size_t host_size_ = 0;  ///< of the instance's name in the head; 0 where it is not in there
  std::size_t first_header_size_ = 0;
  std::size_t later_header_size_ = 0;
  TimePoint arrived_{};
  bool exchanging_ = false;
  bool tunnel_ = false;  ///< bytes of another protocol go both ways
  Claim claim_;
  bool covered_ = false;

  // Its tries
  std::uint64_t wanted_ = 0;      ///< tiers that come first (balancer::PickContext)
  std::uint64_t sticky_ = 0;      ///< value of its cookie; 0: none
  std::uint32_t tiers_turn_ = 0;  ///< of `wanted_`
  std::size_t tried_count_ = 0;
  std::uint32_t tries_ = 0;
  std::uint32_t retries_ = 0;
  bool reuse_repeat_spent_ = false;
  bool want_fresh_connection_ = false;
  bool paused_ = true;               ///< or the next try need not
  std::uint32_t pauses_ = 0;         ///< of this request so far
  balancer::InstanceRef candidate_;  ///< picked, but without an idle connection yet
  balancer::InstanceRef instance_;
  Picked picked_;         ///< how it was
  Wish wish_{};           ///< what `wanted_` is, or the cookie
  bool selected_ = true;  ///< these are settled
  bool answered_in_tls_ = false;
  ConnectionPtr connection_;
  TimePoint try_started_{};
  TimePoint headed_at_{};  ///< when the try's final head was there
  bool try_open_ = false;
  Duration answer_time_used_{};

  // Upload running beside the answer
  bool pumping_ = false;
  bool pumped_ = false;  ///< has written the last byte
  bool pump_stop_ = false;
  net::Notifier pump_ended_;
  net::SpliceWay upload_;
  TryEnd pump_problem_ = TryEnd::kAnswer;  ///< kAnswer: none
  TimePoint sent_at_{};                    ///< when the request's last byte went; max: not yet
  bool sent_whole_ = true;       ///< the instance got all of it: its connection may be kept
  bool send_was_reset_ = false;  ///< an end of what the instance sends is not to be believed

  // The answer
  http::ResponseHead answer_;
  std::size_t answer_head_size_ = 0;
  http::Framing answer_framing_ = http::Framing::kNone;  ///< as it goes to the client
  bool answer_begun_ = false;
  std::uint32_t reads_ = 0;
  bool interim_passed_ = false;  ///< a 1xx reached the client: another instance may not follow
  bool continued_ = false;       ///< one of them was 100
  std::string_view error_;       ///< Proxy-Status name or how it was cut; literals only
  std::uint32_t interim_ = 0;
  bool any_byte_back_ = false;
  int status_ = 0;
  std::uint64_t body_out_ = 0;
  std::uint64_t tunnel_in_ = 0;
};

}  // namespace pilotfish::proxy
