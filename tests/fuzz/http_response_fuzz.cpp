// Bytes of an instance to bytes for a client: what is passed on is, read strictly, exactly one
// answer, whole where we say so, and nothing behind it.
#include <array>
#include <string>
#include <vector>

#include "http/body.hpp"
#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"
#include "http/head_scan.hpp"
#include "tests/fuzz/reference_http.hpp"
#include "tests/fuzz/slices.hpp"

namespace pilotfish::fuzz {
namespace {

constexpr std::size_t kHeadLimit = 32UL * 1024;
constexpr int kMostInterim = 16;

struct Asked {
  http::Method method = http::Method::kGet;
  bool old_client = false;
};

struct Outcome {
  std::string sent;
  std::string body;
  std::vector<int> statuses;  ///< of the heads that were passed on
  bool refused = false;       ///< before a final head went out: 502
  bool whole = false;
  bool reusable = false;     ///< the connection would go back to its pool
  bool until_close = false;  ///< to the client
};

/// The answer's side of a session (proxy/http_download.cpp) without its sockets.
class Session {
 public:
  Session(Slices::Kind kind, std::string_view input, Asked asked)
      : slices_(kind, input), asked_(asked) {}

  Outcome run() {
    if (!read_final_head()) {
      out_.refused = true;
      return std::move(out_);
    }
    relay();
    return std::move(out_);
  }

 private:
  bool more() {
    const auto piece = slices_.next();
    in_ += piece;
    return !piece.empty();
  }

  bool read_final_head() {
    http::HeadScan scan;
    int interim = 0;
    for (;;) {
      const auto state = scan.scan(in_);
      if (state == http::HeadScan::State::kMore) {
        if (in_.size() >= kHeadLimit || !more()) {
          return false;
        }
        continue;
      }
      if (state == http::HeadScan::State::kBad) {
        return false;
      }
      kept_ = in_.substr(0, scan.length());  // exactly the head: a read beyond it is found
      if (http::parse_response(kept_, asked_.method, head_) != http::Refusal::kNone ||
          head_.status == 101) {
        return false;
      }
      in_.erase(0, scan.length());
      if (head_.status >= 200) {
        return true;
      }
      if (++interim > kMostInterim) {
        return false;
      }
      if (!asked_.old_client) {
        http::write_response(head_, {}, out_.sent);
        out_.statuses.push_back(head_.status);
      }
      scan.reset();
    }
  }

  void relay() {
    auto framing = head_.framing;
    if (framing == http::Framing::kChunked || framing == http::Framing::kUntilClose) {
      framing = asked_.old_client ? http::Framing::kUntilClose : http::Framing::kChunked;
    }
    out_.until_close = framing == http::Framing::kUntilClose;
    std::string head;
    http::write_response(head_, {framing, out_.until_close, asked_.old_client}, head);
    http::BodyDecoder decoder;
    decoder.begin(head_.framing, head_.length);
    bool head_sent = false;
    for (;;) {
      std::string piece = in_;
      const auto step = decoder.decode({piece.data(), piece.size()});
      std::string end;
      const bool bad =
          step.state == http::BodyDecoder::State::kBad ||
          (decoder.done() && framing == http::Framing::kChunked && !write_end(decoder, end));
      if (bad) {
        out_.refused = !head_sent;
        return;
      }
      if (!head_sent) {
        out_.sent += head;
        out_.statuses.push_back(head_.status);
        head_sent = true;
      }
      if (framing == http::Framing::kChunked && !step.data.empty()) {
        std::array<char, 20> header{};
        out_.sent.append(header.data(), http::write_chunk_header(step.data.size(), header));
        out_.sent.append(step.data).append("\r\n");
      } else {
        out_.sent += step.data;
      }
      out_.body += step.data;
      out_.sent += end;
      in_.erase(0, step.consumed);
      if (decoder.done()) {
        out_.whole = true;
        out_.reusable = head_.keep_alive && in_.empty() &&
                        head_.framing != http::Framing::kUntilClose && !more();
        return;
      }
      if (!more() && !decoder.end_of_stream()) {
        return;  // cut
      }
    }
  }

  bool write_end(const http::BodyDecoder& decoder, std::string& out) const {
    std::vector<http::Field> fields;
    if (head_.framing == http::Framing::kChunked &&
        !http::parse_trailers(decoder.trailers(), fields)) {
      return false;
    }
    out += "0\r\n";
    std::string names;
    http::HopByHop::names(head_, names);
    http::write_trailers(fields, http::HopByHop(names), out);
    return true;
  }

  Slices slices_;
  Asked asked_;
  std::string in_;
  std::string kept_;
  http::ResponseHead head_;
  Outcome out_;
};

void judge(const Outcome& outcome, Asked asked) {
  const auto reading =
      read_answer(outcome.sent, asked.method == http::Method::kHead, outcome.whole);
  require(!reading.broken, "what is passed on is HTTP", outcome.sent);
  if (outcome.refused) {
    require(reading.used == outcome.sent.size(), "before a 502 only whole interim answers went");
    require(outcome.statuses.size() <= kMostInterim, "at most 16 interim answers");
    return;
  }
  require((reading.messages.size() == outcome.statuses.size()) == outcome.whole,
          "the client knows whether the answer is whole", outcome.sent);
  if (!outcome.whole) {
    return;
  }
  require(reading.used == outcome.sent.size(), "nothing follows the answer", outcome.sent);
  const auto& last = reading.messages.back();
  require(last.body == outcome.body, "the body", outcome.sent);
  require(last.until_close == (outcome.until_close && !(asked.method == http::Method::kHead)),
          "a close ends only what has no other end", outcome.sent);
  for (std::size_t i = 0; i < reading.messages.size(); ++i) {
    require(reading.messages[i].start.substr(9, 3) == std::to_string(outcome.statuses[i]),
            "the status");
    for (const auto* gone : {"keep-alive", "proxy-connection", "upgrade", "proxy-authenticate"}) {
      if (outcome.statuses[i] == 426 && gone == std::string_view("upgrade")) {
        continue;  // it says what to upgrade to
      }
      require(values_of(reading.messages[i], gone).empty(), "hop-by-hop fields stay behind", gone);
    }
  }
}

void try_one(std::string_view input, Asked asked) {
  const auto whole = Session(Slices::Kind::kWhole, input, asked).run();
  judge(whole, asked);
  for (const auto kind : {Slices::Kind::kSingle, Slices::Kind::kMixed}) {
    const auto other = Session(kind, input, asked).run();
    judge(other, asked);
    require(other.whole == whole.whole && other.reusable == whole.reusable,
            "any slices end the same");
    require(!whole.whole || (other.body == whole.body && other.statuses == whole.statuses),
            "any slices give the same answer");
  }
}

}  // namespace
}  // namespace pilotfish::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using pilotfish::fuzz::try_one;
  using pilotfish::http::Method;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try_one(input, {Method::kGet, false});
  try_one(input, {Method::kHead, false});
  try_one(input, {Method::kGet, true});
  return 0;
}
