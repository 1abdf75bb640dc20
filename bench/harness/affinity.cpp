#include "bench/harness/affinity.hpp"

#include <cstring>
#include <sched.h>

namespace pilotfish::bench {

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return CPU_COUNT(&set);
}

OnProcessor::OnProcessor(int number, bool others) {
  static_assert(sizeof(cpu_set_t) <= sizeof(Mask));
  cpu_set_t before;
  CPU_ZERO(&before);
  if (number < 0 || ::sched_getaffinity(0, sizeof before, &before) != 0) return;
  if (CPU_COUNT(&before) < 2) return;
  std::memcpy(before_.bytes, &before, sizeof before);
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  int seen = 0;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &before)) continue;
    if ((seen++ == number) != others) CPU_SET(i, &wanted);
  }
  if (CPU_COUNT(&wanted) == 0) return;
  changed_ = ::sched_setaffinity(0, sizeof wanted, &wanted) == 0;
}

OnProcessor::~OnProcessor() {
  if (!changed_) return;
  cpu_set_t before;
  std::memcpy(&before, before_.bytes, sizeof before);
  ::sched_setaffinity(0, sizeof before, &before);
}

}  // namespace pilotfish::bench
