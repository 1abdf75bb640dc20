#include "resolver/absence.hpp"

#include <algorithm>

namespace pilotfish::resolver {

AbsencePlan::Step AbsencePlan::absent(bool known, TimePoint now) {
  if (!told_ || (kind_ == Kind::kAbsent && known)) {
    told_ = false;
    asking_ = known;
    return known ? Step::kAsk : Step::kBelieve;
  }
  if (!known || asking_ || now < again_at_) {
    return Step::kUse;
  }
  asking_ = true;
  return Step::kUseAndRenew;
}

bool AbsencePlan::told(Kind kind, TimePoint now) {
  if (!asking_) {
    return false;  // DNS named instances meanwhile
  }
  const bool first = !told_;
  told_ = true;
  asking_ = false;
  kind_ = kind;
  const bool tells = kind == Kind::kAbsent || kind == Kind::kPresent;
  again_ = tells || first ? kAgain : std::min(again_ * 2, kAgainMax);
  again_at_ = now + again_;
  return true;
}

}  // namespace pilotfish::resolver
