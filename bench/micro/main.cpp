// Micro benchmarks of what runs per request and per registry answer. Use a release build, and
// compare only what ran on one machine in one run.
#include <benchmark/benchmark.h>

#include "bench/micro/groups.hpp"

int main(int argc, char** argv) {
  namespace micro = pilotfish::micro;
  micro::register_picks();
  micro::register_outcomes();
  micro::register_answers();
  micro::register_pauses();
  micro::register_lookups();
  micro::register_heads();
  micro::register_instruments();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 64;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
