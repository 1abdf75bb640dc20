// Chunked bodies: every slicing gives the same, and that is what the reference reads, or a refusal.
#include <algorithm>
#include <string>

#include "http/chunked.hpp"
#include "http/h1_parser.hpp"
#include "tests/fuzz/reference_http.hpp"
#include "tests/fuzz/slices.hpp"

namespace pilotfish::fuzz {
namespace {

using http::ChunkedDecoder;

struct Decoded {
  ChunkedDecoder::State state = ChunkedDecoder::State::kMore;
  std::string data;
  std::string trailers;
  std::size_t consumed = 0;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decode(std::string_view input, Slices::Kind kind) {
  Decoded out;
  ChunkedDecoder decoder;
  Slices slices(kind, input);
  while (out.state == ChunkedDecoder::State::kMore) {
    std::string piece(slices.next());  // exactly as long: a read beyond it is found
    if (piece.empty()) {
      break;
    }
    const auto step = decoder.decode({piece.data(), piece.size()});
    out.state = step.state;
    out.data += step.data;
    out.consumed += step.consumed;
    require(step.consumed == piece.size() || step.state != ChunkedDecoder::State::kMore,
            "what is not consumed was decided on");
  }
  out.trailers = decoder.trailers();
  return out;
}

bool has_own_field(const ReferenceBody& body) {
  return std::ranges::any_of(body.trailers, [](const auto& field) {
    const auto name = lowered(field.first);
    return name == "content-length" || name == "transfer-encoding" || name == "host" ||
           name == "connection";
  });
}

void try_one(std::string_view input) {
  const auto whole = decode(input, Slices::Kind::kWhole);
  require(whole == decode(input, Slices::Kind::kSingle), "single bytes decode the same");
  require(whole == decode(input, Slices::Kind::kMixed), "any slices decode the same");
  std::vector<http::Field> fields;
  const bool taken =
      whole.state == ChunkedDecoder::State::kDone && http::parse_trailers(whole.trailers, fields);
  const auto expected = read_chunks(input);
  if (taken) {
    require(expected.done && !expected.broken, "what was taken is a body");
    require(whole.data == expected.data, "its data is the reference's");
    require(whole.consumed == expected.used, "it ends where the reference ends it");
    require(fields.size() == expected.trailers.size(), "its trailers are the reference's");
  } else if (expected.done && input.size() < ChunkedDecoder::kMostExtension) {
    require(has_own_field(expected), "what was refused is no body, or has framing in its trailers");
  }
  if (whole.state == ChunkedDecoder::State::kMore) {
    require(!expected.done, "what wants more is not at its end");
    require(expected.data.starts_with(whole.data), "what was passed on early is the body's");
  }
}

}  // namespace
}  // namespace pilotfish::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  pilotfish::fuzz::try_one({reinterpret_cast<const char*>(data), size});
  return 0;
}
