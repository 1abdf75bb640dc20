// Bytes of a client to bytes for instances, as a session makes them: what is sent on is, read
// strictly by a reader that shares no code, exactly the requests that were understood.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"
#include "http/head_scan.hpp"
#include "proxy/request_body.hpp"
#include "tests/fuzz/reference_http.hpp"
#include "tests/fuzz/slices.hpp"

namespace pilotfish::fuzz {
namespace {

constexpr std::size_t kHeadLimit = 32UL * 1024;

struct Understood {
  std::string method;
  std::string path;
  std::string host;
  std::string body;
  friend bool operator==(const Understood&, const Understood&) = default;
};

enum class Ending : std::uint8_t { kClean, kUnfinished, kRefused };

struct Outcome {
  std::vector<Understood> whole;
  std::string sent;            ///< bytes for instances, one request behind the other
  std::size_t sent_whole = 0;  ///< of them those of whole requests
  Ending ending = Ending::kClean;
};

/// The client's side of a session (proxy/http_session.cpp) without its sockets.
class Session {
 public:
  Session(Slices::Kind kind, std::string_view input) : slices_(kind, input) {}

  Outcome run() {
    while (one()) {
    }
    return std::move(out_);
  }

 private:
  bool more() {
    const auto piece = slices_.next();
    in_ += piece;
    return !piece.empty();
  }

  bool end(Ending ending) {
    out_.ending = ending;
    return false;
  }

  /// As HttpSession::read_head. False where no head will come.
  bool read_head() {
    http::HeadScan scan;
    std::size_t blank = 0;
    for (;;) {
      if (scan.length() == 0 && !in_.empty()) {
        const auto lines = http::leading_empty_lines(in_, blank);
        blank += lines;
        in_.erase(0, lines);
      }
      if (!in_.empty() && in_ != "\r") {
        switch (scan.scan(in_)) {
          case http::HeadScan::State::kFound: head_size_ = scan.length(); return true;
          case http::HeadScan::State::kBad: return end(Ending::kRefused);
          case http::HeadScan::State::kMore: break;
        }
        if (in_.size() >= kHeadLimit) {
          return end(Ending::kRefused);
        }
      }
      if (!more()) {
        return end(in_.empty() ? Ending::kClean : Ending::kUnfinished);
      }
    }
  }

  bool one() {
    if (!read_head()) {
      return false;
    }
    const std::string head_bytes = in_.substr(0, head_size_);
    http::RequestHead head;
    if (head_size_ > kHeadLimit || http::parse_request(head_bytes, head) != http::Refusal::kNone) {
      return end(Ending::kRefused);
    }
    if (head.upgrade) {
      return end(Ending::kUnfinished);  // what follows is another protocol, perhaps
    }
    Understood request{std::string(head.method_text),
                       (head.path.starts_with('?') ? "/" : "") + std::string(head.path),
                       std::string(head.authority.empty() ? head.host : head.authority),
                       {}};
    std::string arrived = in_.substr(head_size_);
    proxy::RequestBody body;
    const auto state = body.begin(head.framing, head.length, {arrived.data(), arrived.size()});
    if (state == http::BodyDecoder::State::kBad) {
      return end(Ending::kRefused);
    }
    std::string bytes;
    http::write_request(head, {"192.0.2.1", "fallback"}, bytes);
    append(body, body.first(), bytes);
    request.body = body.first();
    if (body.complete() && !body.write_end(bytes)) {
      return end(Ending::kRefused);
    }
    out_.sent += bytes;
    in_.erase(0, head_size_ + body.consumed_at_start());
    if (!feed_rest(body, request)) {
      return false;
    }
    require(body.later().size() + body.first().size() <= proxy::RequestBody::kKept ||
                body.later().empty(),
            "no more than 64 KiB are kept for a repeat");
    if (body.replayable()) {
      require(std::string(body.first()) + body.later() == request.body, "a repeat sends the same");
    }
    out_.whole.push_back(std::move(request));
    out_.sent_whole = out_.sent.size();
    return head.keep_alive || end(Ending::kClean);
  }

  /// As HttpSession::pump.
  bool feed_rest(proxy::RequestBody& body, Understood& request) {
    while (!body.complete()) {
      if (in_.empty() && !more()) {
        return end(Ending::kUnfinished);
      }
      std::string piece = std::exchange(in_, {});
      const auto step = body.feed({piece.data(), piece.size()});
      if (step.state == http::BodyDecoder::State::kBad) {
        return end(Ending::kRefused);
      }
      append(body, step.data, out_.sent);
      request.body += step.data;
      if (body.complete() && !body.write_end(out_.sent)) {
        return end(Ending::kRefused);
      }
      in_ = piece.substr(step.consumed);
    }
    return true;
  }

  static void append(const proxy::RequestBody& body, std::string_view data, std::string& out) {
    if (!body.chunked() || data.empty()) {
      out += data;
      return;
    }
    std::array<char, 20> header{};
    out.append(header.data(), http::write_chunk_header(data.size(), header));
    out.append(data).append("\r\n");
  }

  Slices slices_;
  std::string in_;
  std::size_t head_size_ = 0;
  Outcome out_;
};

void judge(const Outcome& outcome) {
  const auto reading = read_requests(outcome.sent);
  require(!reading.broken, "what is sent on is HTTP", outcome.sent);
  require(reading.messages.size() == outcome.whole.size(), "as many requests as were understood",
          outcome.sent);
  require(reading.used == outcome.sent_whole, "they end where we think", outcome.sent);
  for (std::size_t i = 0; i < outcome.whole.size(); ++i) {
    const auto& sent = reading.messages[i];
    const auto& meant = outcome.whole[i];
    require(sent.start == meant.method + " " + meant.path + " HTTP/1.1", "the request line",
            sent.start);
    const auto host = values_of(sent, "host");
    require(host.at(0) == (meant.host.empty() ? "fallback" : meant.host), "Host", sent.start);
    require(sent.body == meant.body, "the body", outcome.sent);
    const auto forwarded = values_of(sent, "x-forwarded-for");
    require(forwarded.size() == 1 && forwarded[0].ends_with("192.0.2.1"), "X-Forwarded-For");
    require(!values_of(sent, "via").empty(), "Via");
    for (const auto* gone :
         {"keep-alive", "proxy-connection", "proxy-authorization", "upgrade", "http2-settings"}) {
      require(values_of(sent, gone).empty(), "hop-by-hop fields stay behind", gone);
    }
    require(sent.trailers.empty(), "trailers stay behind", outcome.sent);
  }
}

void try_one(std::string_view input) {
  const auto whole = Session(Slices::Kind::kWhole, input).run();
  judge(whole);
  for (const auto kind : {Slices::Kind::kSingle, Slices::Kind::kMixed}) {
    const auto other = Session(kind, input).run();
    judge(other);
    require(other.whole == whole.whole, "any slices give the same requests");
    require(other.ending == whole.ending, "any slices end the same");
  }
}

}  // namespace
}  // namespace pilotfish::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  pilotfish::fuzz::try_one({reinterpret_cast<const char*>(data), size});
  return 0;
}
