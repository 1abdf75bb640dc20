#include "proxy/request_body.hpp"

#include "http/h1_parser.hpp"

namespace pilotfish::proxy {

http::BodyDecoder::State RequestBody::begin(http::Framing framing, std::uint64_t length,
                                            std::span<char> arrived, bool repeatable) {
  framing_ = framing;
  later_.clear();
  replayable_ = true;
  repeatable_ = repeatable;
  decoder_.begin(framing, length);
  const auto step = decoder_.decode(arrived);
  first_ = step.data;
  consumed_ = step.consumed;
  received_ = step.data.size();
  return step.state;
}

http::BodyDecoder::Step RequestBody::feed(std::span<char> arrived) {
  const auto step = decoder_.decode(arrived);
  received_ += step.data.size();
  if (replayable_) {
    if (repeatable_ && first_.size() + later_.size() + step.data.size() <= kKept) {
      later_.append(step.data);
    } else {
      replayable_ = false;
      std::string().swap(later_);
    }
  }
  return step;
}

bool RequestBody::write_end(std::string& out) const {
  if (!chunked()) {
    return true;
  }
  if (!http::good_trailers(decoder_.trailers())) {
    return false;
  }
  out.append("0\r\n\r\n");
  return true;
}

}  // namespace pilotfish::proxy
